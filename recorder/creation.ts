import { createHash } from "node:crypto";
import type { Value, ValueMap } from "./values";

/** Where a recorded stack pretends to live. The account is AWS's own example account. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** What the stand-in for the providers knows when a resource is created. */
export interface Creation extends Place {
  readonly type: string;
  readonly urn: string;
  /** Logical name. */
  readonly name: string;
  /** Hexadecimal digits that stay the same for the same resource: the raw material of invented identifiers. */
  readonly digest: string;
  /** The name that AWS would show: the one given, or one made by Pulumi's auto-naming. */
  readonly physicalName: string;
  /** Inputs with secret marks removed. */
  readonly inputs: ValueMap;
}

/** How the provider answers for one type. */
export interface Description {
  /** The input that Pulumi's provider fills with an automatic name when the program leaves it out. */
  readonly autoNamed?: string;
  /** What the provider would return beside the inputs. `id` is the physical name unless given here. */
  readonly outputs?: (creation: Creation) => { readonly [key: string]: Value };
}

export const arn = (c: Creation, service: string, resource: string) =>
  `arn:${c.partition}:${service}:${c.region}:${c.account}:${resource}`;
export const globalArn = (c: Creation, service: string, resource: string) =>
  `arn:${c.partition}:${service}::${c.account}:${resource}`;
/** A UUID that stays the same for the same resource. */
export const uuid = (c: Creation) =>
  [8, 4, 4, 4, 12]
    .map((length, index, all) => {
      const start = all.slice(0, index).reduce((sum, each) => sum + each, 0);
      return c.digest.slice(start, start + length);
    })
    .join("-");
/** A value as text; empty when it is none. */
export const text = (value: Value | undefined) => (typeof value === "string" ? value : "");
/** An ARN that is the id, too. */
export const byArn = (service: string, resource: (c: Creation) => string) => (c: Creation) => {
  const value = arn(c, service, resource(c));
  return { id: value, arn: value };
};

/** DMS ends its ARNs in 26 capital letters and digits. */
export function dmsSuffix(c: Creation): string {
  return digest(c.digest).slice(0, 26).toUpperCase();
}

/** Id of a resource that a remote component made. */
export function remoteId(urn: string): string {
  return `rtb-${digest(urn).slice(0, 17)}`;
}

export function digest(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}
