import type { Context } from "hono";
import { z } from "zod";
import { type Filter, limits, operations } from "../api";
import { FailureError } from "./failures";

/** What a request asks, checked. Everything that is not right is named at once. */
export function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "The question"}: ${message}`);
  throw new FailureError("not understood", problems[0] as string, problems.slice(1));
}

export const asked = <Shape extends z.ZodRawShape>(context: Context, shape: Shape) =>
  parsed(z.object(shape), context.req.query());

const shortText = z.string().min(1).max(1_000);
const list = (of: z.ZodType<string> = shortText) => z.array(of).min(1).max(50);

/** A moment in UTC, with up to six decimals. */
export const moment = z
  .string()
  .regex(
    /^\d{4,6}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$/,
    "takes a time such as 2026-11-05T10:00:00Z",
  );
export const identity = z.uuid("takes the id of an event");
export const digits = z.string().regex(/^\d{1,18}$/, "takes digits");
export const tableName = z.string().min(1).max(300);
export const source = z.string().min(1).max(300);

/** JSON text, kept as it is: its numbers may have more digits than a number here. */
export const keyText = z
  .string()
  .max(10_000)
  .refine((text) => {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === "object" && value !== null && !Array.isArray(value);
    } catch {
      return false;
    }
  }, 'takes a record\'s key as JSON, such as {"id": 42}');

const wanted = {
  actor: list().optional(),
  table: list(tableName).optional(),
  operation: z.array(z.enum(operations)).min(1).optional(),
  column: list().optional(),
};

const filter = z
  .strictObject({
    ...wanted,
    not: z.strictObject(wanted).optional(),
    key: keyText.optional(),
    request: shortText.optional(),
    transaction: digits.optional(),
    source: source.optional(),
    from: moment.optional(),
    to: moment.optional(),
    text: shortText.optional(),
  })
  .refine(({ key, table }) => key === undefined || table?.length === 1, "a key needs exactly one table");

/** The parameter `filter`: JSON. */
export const filterParameter = z
  .string()
  .max(20_000)
  .default("{}")
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "is not JSON" });
      return z.NEVER;
    }
  })
  .pipe(filter)
  .transform((value) => value as Filter);

/** A place in a list, as {@link cursorText} wrote it. */
export const cursor = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .max(20_000)
    .transform((text, context): unknown => {
      try {
        return JSON.parse(Buffer.from(text, "base64url").toString());
      } catch {
        context.addIssue({ code: "custom", message: "is not a place that an answer ended with" });
        return z.NEVER;
      }
    })
    .pipe(schema);

export function cursorText(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

export const reason = z
  .string()
  .trim()
  .min(3, "takes a reason of three characters or more")
  .max(limits.reasonCharacters);
