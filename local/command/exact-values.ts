import { types, type CustomTypesConfig } from "pg";

/** How the log's values are read: numbers in JSON keep every digit, times every microsecond. */
export const exactValues: CustomTypesConfig = {
  getTypeParser: (type: number, format?: "text" | "binary") => {
    if (format === "binary") return types.getTypeParser(type, format);
    if (type === types.builtins.JSONB) {
      return (text: string) => JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
    }
    if (type === types.builtins.TIMESTAMPTZ) return isoTime;
    return types.getTypeParser(type, format as "text");
  },
};

/** `51.90` stays `51.90`. */
function keepDigits(_: string, value: unknown, context: { source?: string }): unknown {
  const digits = context.source;
  if (typeof value !== "number" || digits === undefined || digits === String(value)) return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
}

/** `2026-12-01 00:43:25.313766+00` as `2026-12-01T00:43:25.313766Z`; other forms, such as `infinity`, as they are. */
function isoTime(text: string): string {
  const [, day, time, fraction = ""] = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?\+00$/.exec(text) ?? [];
  return day === undefined ? text : `${day}T${time}${(fraction || ".").padEnd(7, "0")}Z`;
}
