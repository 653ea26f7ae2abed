import { lobTypes } from "../../contract/change-capture";

/** How DMS writes one column's values into JSON, and what it refuses. */
export interface ValueFormat {
  /** Text in PostgreSQL's output form to JSON. */
  readonly toJson: (text: string) => string;
  /** A LOB to DMS: only carried for tables with a primary or unique key. */
  readonly isLob: boolean;
}

/** A column's type: the base type where a domain is declared. */
export interface ColumnType {
  /** PostgreSQL's name of the base type without modifiers, e.g. `character varying`, `integer[]`. */
  readonly name: string;
  /** `pg_attribute.atttypmod`, or the domain's; -1 without modifiers. */
  readonly modifier: number;
  /** `pg_type.typcategory`: A array, C composite, … */
  readonly category: string;
}

/** A value that the task may not carry; the task stops, because the settings say STOP_TASK. */
export class TruncationError extends Error {}

/** Beyond these sizes DMS would cut values. */
export interface SizeLimits {
  /** `LobMaxSize` of the task, in KB. */
  readonly lobMaxKilobytes: number;
  /** `unboundedVarcharMaxSize` of the source endpoint, in bytes. */
  readonly unboundedVarcharMaxBytes: number;
}

const plainNumber = (text: string) => text;
const string = (text: string) => JSON.stringify(text);
/** JSON has no NaN and no infinity. */
const anyNumber = (text: string) => (/[Nn]/.test(text) ? JSON.stringify(text) : text);

/**
 * The format of a type's values under our endpoint settings (`contract/change-capture.ts`).
 * @param limits A larger value throws a {@link TruncationError}.
 */
export function valueFormat(type: ColumnType, limits: SizeLimits): ValueFormat {
  const scalar = (toJson: (text: string) => string): ValueFormat => ({ toJson, isLob: false });
  const maxBytes = limits.lobMaxKilobytes * 1024;
  // Schema-qualified when the extension's schema is not on the search path.
  const name = type.name.slice(type.name.lastIndexOf(".") + 1);

  if (type.category === "A" || type.category === "C" || lobTypes.includes(name)) {
    // An NCLOB takes two bytes for each UTF-16 unit.
    return { isLob: true, toJson: (text) => string(withinLobMaxSize(text, text.length * 2, maxBytes)) };
  }
  switch (name) {
    case "smallint":
    case "integer":
    case "oid":
      return scalar(plainNumber);
    case "bigint":
      return scalar(bigintToJson);
    case "numeric":
      return scalar(numericToJson(type.modifier));
    case "real":
    case "double precision":
      return scalar(anyNumber);
    case "boolean":
      return scalar((text) => (text.startsWith("t") ? '"t"' : '"f"'));
    case "bytea":
      return {
        isLob: true,
        toJson: (text) =>
          `"0x${withinLobMaxSize(text, (text.length - 2) / 2, maxBytes)
            .slice(2)
            .toUpperCase()}"`,
      };
    case "timestamp without time zone":
    case "timestamp with time zone":
      return scalar((text) => string(timestampToIso(text)));
    case "time with time zone":
      return scalar((text) => string(text.replace(/[+-][\d:]+$/, "")));
    case "character":
      return scalar((text) => string(text.replace(/ +$/, "")));
    case "character varying":
      return scalar(type.modifier === -1 ? unboundedVarcharToJson(limits.unboundedVarcharMaxBytes) : string);
    default:
      return scalar(string);
  }
}

function withinLobMaxSize(text: string, bytes: number, maxBytes: number): string {
  if (bytes <= maxBytes) return text;
  throw new TruncationError(
    `a value of ${bytes} bytes is above LobMaxSize (${maxBytes / 1024} KB); raise TargetMetadata.LobMaxSize`,
  );
}

function unboundedVarcharToJson(maxBytes: number): (text: string) => string {
  return (text) => {
    const bytes = text.length * 4 > maxBytes ? Buffer.byteLength(text) : 0;
    if (bytes <= maxBytes) return string(text);
    throw new TruncationError(
      `a varchar without a length holds ${bytes} bytes, above unboundedVarcharMaxSize (${maxBytes}); ` +
        "raise it, or declare the column as text",
    );
  };
}

/** More than 16 digits become scientific notation with 16 digits, which loses the rest. */
function bigintToJson(text: string): string {
  const digits = text.startsWith("-") ? text.length - 1 : text.length;
  if (digits <= 16) return text;
  const [mantissa = "", exponent = ""] = Number(text).toExponential(15).split("e");
  return `${mantissa.replace(/\.?0+$/, "")}e${exponent}`;
}

/** Precision above 38 is a string; without a precision only six decimals remain. */
function numericToJson(modifier: number): (text: string) => string {
  if (modifier === -1) return (text) => anyNumber(text.replace(/(\.\d{6})\d+$/, "$1"));
  const precision = ((modifier - 4) >> 16) & 0xffff;
  return precision > 38 ? string : anyNumber;
}

/** `2026-11-22 10:00:00.5+00` to `2026-11-22T10:00:00.5Z`; `infinity` and years before Christ stay as they are. */
function timestampToIso(text: string): string {
  return /^\d+-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?$/.test(text)
    ? `${text.replace(" ", "T").replace("+00", "")}Z`
    : text;
}

/** The commit time of a transaction: like a timestamp, but always with microseconds. */
export function commitTimestampToIso(text: string): string {
  const [seconds = "", fraction = ""] = text.replace("+00", "").replace(" ", "T").split(".");
  return `${seconds}.${fraction.padEnd(6, "0")}Z`;
}
