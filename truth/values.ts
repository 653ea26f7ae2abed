import type { Random } from "../faults/random";

/** A column as the catalog has it. */
export interface Column {
  /** `attnum`, which a rename keeps. */
  readonly number: number;
  readonly name: string;
  /** With its modifier. */
  readonly type: string;
  readonly notNull: boolean;
}

const words = [
  "new",
  "paid",
  "sent",
  "O'Brien",
  'say "hi"',
  "a\\b",
  "ünïcödé 😀",
  "",
  " ",
  "null",
  "{1,2}",
  "tab\there",
];
const days = 28;

export const quoted = (text: string) => (text.includes("\\") ? ` E'${escaped(text)}'` : `'${escaped(text)}'`);
const escaped = (text: string) => text.replace(/'/g, "''").replace(/\\/g, "\\\\");

/** An identifier, quoted. */
export const identifier = (name: string) => `"${name.replace(/"/g, '""')}"`;

const generators: readonly (readonly [pattern: RegExp, draw: (random: Random, type: string) => string])[] = [
  [/^(smallint|integer)$/, (random) => String(random.integer(-9, 99))],
  // DMS rounds integers of more than 16 digits.
  [/^bigint$/, (random) => String(random.integer(-9, 99) * random.pick([1, 10_000_000_000_000]))],
  [/^numeric\((\d+),(\d+)\)/, (random) => (random.integer(-9_999, 9_999) / 100).toFixed(2)],
  [/^double precision$/, (random) => String(random.integer(-999, 999) / 8)],
  [/^boolean$/, (random) => random.pick(["true", "false"])],
  [/^text$/, (random) => (random.chance(0.06) ? long(random) : quoted(random.pick(words)))],
  [/^character varying/, (random) => quoted(random.pick(words))],
  [/^jsonb?$/, (random, type) => `${quoted(random.chance(0.5) ? json(random) : document(random))}::${type}`],
  [/^date$/, (random) => `'2026-01-${String(random.integer(1, days)).padStart(2, "0")}'::date`],
  [
    /^timestamp/,
    (random, type) => `'2026-02-${random.integer(10, days)} 12:00:00.${random.integer(100_000, 999_999)}+02'::${type}`,
  ],
  [/^uuid$/, (random) => `md5('${random.integer(1, 1e6)}')::uuid`],
  [/^bytea$/, (random) => `decode(md5('${random.integer(1, 1e6)}'), 'hex')`],
  [/^text\[\]$/, (random) => `ARRAY[${quoted(random.pick(words))}, NULL, ${quoted(random.pick(words))}]::text[]`],
  [/^integer\[\]$/, (random) => `ARRAY[${random.integer(1, 9)}, ${random.integer(1, 9)}]`],
];

/** A value that PostgreSQL stores beside the row. */
const long = (random: Random) =>
  `(SELECT string_agg(md5('${random.integer(1, 1e6)}/' || n), '') FROM generate_series(1, 90) AS n)`;

const json = (random: Random) =>
  random.pick([
    `{"n": ${random.integer(0, 9)}, "list": [1, 2.50, null], "text": "a\\nb"}`,
    `[${random.integer(0, 9)}]`,
    `"${random.integer(0, 9)}"`,
    "null",
    "{}",
  ]);

/** Documents that differ in little, so that the log keeps of an old one what differs. */
const document = (random: Random) => {
  const lines = Array.from(
    { length: random.integer(0, 3) },
    (_, line) =>
      `{"sku": "s-${line + random.integer(0, 1)}", "price": ${random.pick(["1.5", "1.50", "12345678901234567890.10"])}}`,
  );
  const more = random.chance(0.5)
    ? `, "a/b": {"m~n": ${random.pick(["null", "true", '"\\u00e9 \\" 😀"'])}, "": []}`
    : "";
  return `{"n": ${random.integer(0, 9)}, "lines": [${lines.join(", ")}], "text": "${"as ordered, ".repeat(40)}"${more}}`;
};

/** SQL of a value of a column; now and then a null. */
export function valueOf(random: Random, { type, notNull }: Column): string {
  const generator = generators.find(([pattern]) => pattern.test(type));
  if (!generator) throw new Error(`Nothing makes values of type ${type}.`);
  return !notNull && random.chance(0.15) ? "NULL" : generator[1](random, type);
}

/** SQL of a value of a key column, from few, so that keys meet. */
export function keyValue(random: Random, { type }: Column): string {
  if (type === "date") return `'2026-01-${String(random.integer(1, days)).padStart(2, "0")}'::date`;
  const number = random.integer(1, 24);
  if (/^(smallint|integer|bigint)$/.test(type)) return String(number);
  if (/^(text|character varying)/.test(type)) return `'${random.pick(["", "no. ", "é"])}${number}'`;
  return valueOf(random, { type, notNull: true, name: "", number: 0 });
}
