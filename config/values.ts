import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

// `pulumi config set` stores text, but with --path it stores `true`, `5` and the like as JSON: both spellings of a value
// are accepted.

export function text() {
  return z.preprocess(
    (value) => (typeof value === "number" || typeof value === "boolean" ? String(value) : value),
    z.string(),
  );
}

const secrets = z.registry();

/** A text that no message repeats. */
export function secretText() {
  return text()
    .transform((value) => pulumi.secret(value))
    .register(secrets, {});
}

/** Whether a schema is that of a {@link secretText}. */
export function isSecret(schema: z.ZodType): boolean {
  return secrets.has(schema);
}

export function number() {
  return z.preprocess(
    (value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value),
    z.number(),
  );
}

export function flag() {
  return z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());
}

export function choice<const T extends Readonly<Record<string, string>>>(choices: T) {
  return z.enum(choices);
}

/**
 * The schemas of a component's arguments, one for each that a stack may set. A forgotten or renamed argument does not
 * compile.
 *
 * @typeParam Given Arguments that the program itself fills in.
 */
export type SchemasOf<Args, Given extends keyof Args = never> = {
  readonly [Name in Exclude<keyof Args, Given>]-?: z.ZodType<Args[Name]>;
};
