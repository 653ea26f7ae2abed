import { types, type CustomTypesConfig } from "pg";
import { parseExact } from "../../review/exact-json";

/** How the log's values are read: numbers in JSON keep every digit, times every microsecond. */
export const exactValues: CustomTypesConfig = {
  getTypeParser: (type: number, format?: "text" | "binary") => {
    if (format === "binary") return types.getTypeParser(type, format);
    if (type === types.builtins.JSONB) return parseExact;
    if (type === types.builtins.TIMESTAMPTZ) return isoTime;
    return types.getTypeParser(type, format as "text");
  },
};

/** `2026-12-01 00:43:25.313766+00` as `2026-12-01T00:43:25.313766Z`; other forms, such as `infinity`, as they are. */
function isoTime(text: string): string {
  const [, day, time, fraction = ""] = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?\+00$/.exec(text) ?? [];
  return day === undefined ? text : `${day}T${time}${(fraction || ".").padEnd(7, "0")}Z`;
}
