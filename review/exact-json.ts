import { isLosslessNumber, LosslessNumber, parse, stringify } from "lossless-json";

/** A number whose digits a JavaScript number would not keep, as it stood in the text. */
export type ExactNumber = LosslessNumber;

/** A value of the log. A number is a plain one only where its text is the one that JavaScript writes. */
export type Json = null | boolean | number | ExactNumber | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

const exactNumber = (text: string): number | ExactNumber =>
  String(Number(text)) === text ? Number(text) : new LosslessNumber(text);

/** Reads JSON and keeps every digit: 10.00 stays 10.00, and 12345678901234567890 is not rounded. */
export function parseExact(text: string): unknown {
  return parse(text, undefined, exactNumber);
}

/** Writes JSON with the digits that were read. */
export function stringifyExact(value: unknown, indent?: number): string {
  return stringify(value, undefined, indent) ?? "null";
}

/** JSON whose members stand in the order of their names, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (isObject(value)) {
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as Json)}`).join(",")}}`;
  }
  return stringifyExact(value);
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return isLosslessNumber(value);
}

export function isNumber(value: Json): value is number | ExactNumber {
  return typeof value === "number" || isExactNumber(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isExactNumber(value);
}
