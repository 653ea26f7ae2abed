import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { auditEventsTable } from "../../contract/audit-table";
import { captureSchema, defaultUnboundedVarcharMaxBytes, neverAudited } from "../../contract/change-capture";
import {
  connectDeadLetterHeaders,
  deadLetterHeaders,
  deadLetterReasons,
  ignoredKinds,
} from "../../contract/dead-letter";
import { operatorDefaults } from "../../contract/operator";
import { brokerPorts, postgresPort } from "../../contract/ports";
import signals from "../../contract/signals.json";
import timeSchema from "../../contract/time.schema.json";

const repositoryFolder = resolve(__dirname, "../..");
const text = (path: string) => readFileSync(join(repositoryFolder, path), "utf8");
const grouped = (number: number) => number.toLocaleString("en-US");
const matches = (content: string, pattern: RegExp) => [...content.matchAll(pattern)].map((match) => match[1]!);

const { signalBodyColumns, signalBodyColumnLength, longestSignal, longestActor, sessionFacts } = captureSchema;

describe("the SQL of the source", () => {
  const sql = files("database/source", ".sql").map(withoutSqlComments).join("\n");

  test("has the body's columns, each of its length", () => {
    expect(matches(sql, /^\s*(body_\d+) varchar\(/gm)).toEqual(signalBodyColumns);
    expect(new Set(matches(sql, /^\s*body_\d+ varchar\((\d+)\)/gm))).toEqual(new Set([`${signalBodyColumnLength}`]));
  });

  test("cuts a body into these columns", () => {
    const cuts = [...sql.matchAll(/substr\(body, (\d+), (\d+)\)/g)].map(([, start, length]) => [start, length]);
    const expected = signalBodyColumns.map((_, index) => [1 + index * signalBodyColumnLength, signalBodyColumnLength]);
    expect(cuts).toEqual(expected.map((cut) => cut.map(String)));
    expect(sql).toContain(`length(body) <= ${signalBodyColumnLength} THEN`);
    expect(sql).toContain(`FOR piece IN 1..${signalBodyColumns.length} LOOP`);
    expect(new Set(matches(sql, /Piece %s of (\d+)/g))).toEqual(new Set([`${signalBodyColumns.length}`]));
    expect(new Set(matches(sql, /(\d+,\d+) characters/g))).toEqual(new Set([grouped(signalBodyColumnLength)]));
  });

  test("takes DMS's own limit of a varchar without a length for the pipeline's unless it is told", () => {
    expect(matches(sql, /taken_by_default CONSTANT integer := (\d+);/g)).toEqual([
      `${defaultUnboundedVarcharMaxBytes}`,
    ]);
  });

  test("knows the contract's limits and no other", () => {
    expect(matches(sql, /FUNCTION capture\.signal_limit\(\)[^;]*\sRETURN (\d+);/g)).toEqual([`${longestSignal}`]);
    const limits = [signalBodyColumnLength, longestSignal, longestActor].map(String);
    // How much is kept of a context that is no JSON, and of a request's id that a session set.
    const cutToLength = ["1000"];
    const compared = matches(sql, /\blength\(.*\) (?:>|<=) (\d+)/g).filter((number) => number !== "0");
    const kept = matches(sql, /\bleft\(.*, (\d{2,})\)/g);
    const told = matches(sql, /at most (\d+(?:,\d{3})*)(?! ms)\b/g).map((number) => number.replace(",", ""));
    expect([...new Set([...compared, ...kept, ...told])].sort()).toEqual([...limits, ...cutToLength].sort());
  });

  test("has no other large number", () => {
    const positions = signalBodyColumns.map((_, index) => 1 + index * signalBodyColumnLength);
    const known = [...positions, longestSignal].map(String);
    expect(matches(sql, /(?<![\w.])(\d{5,})\b/g).filter((number) => !known.includes(number))).toEqual([]);
  });

  test("hands the facts of a session over in their order", () => {
    expect(sql).toContain(`INSERT INTO capture.signal (kind, ${columnsOfFacts()}) VALUES`);
    const handedOver = /VALUES \(\s*'session',([^;]*)\);/.exec(sql)?.[1] ?? "";
    const order = ["actor", "request_id", "session_user", "'application_name'", "inet_client_addr", "acting_role"];
    expect(order.map((value) => handedOver.indexOf(value))).toEqual(
      order.map((value) => handedOver.indexOf(value)).sort((left, right) => left - right),
    );
    expect(order.every((value) => handedOver.includes(value))).toBe(true);
    const lists = matches(sql, /ARRAY\[('actor'[^\]]*)\]/g).map(quoted);
    expect(lists).toEqual(lists.map(() => sessionFacts));
    expect(matches(sql, /given_context - ARRAY\[([^\]]*)\]/g).map(quoted)).toEqual([sessionFacts.slice(2)]);
  });

  test("writes every kind of signal and no other", () => {
    const written = [...matches(sql, /write_signal\('(\w+)'/g), ...matches(sql, /VALUES \(\s*'(\w+)', actor/g)];
    expect([...new Set(written)].sort()).toEqual([...captureSchema.signalKinds].sort());
    const told = /COLUMN capture\.signal\.kind IS '([^']*)'/.exec(sql)?.[1] ?? "";
    expect(told.match(/\w+/g)?.filter((word) => word !== "or")).toEqual(captureSchema.signalKinds);
  });

  test("leaves the pipeline's own schemas and tables alone", () => {
    const prefixes = matches(sql, /LIKE '(\w+\\_)%'/g);
    expect(prefixes).not.toHaveLength(0);
    expect(new Set(prefixes)).toEqual(new Set([neverAudited.tablePrefix.replace("_", "\\_")]));
    const schemas = matches(sql, /schema_name IN \(([^)]*)\)/g).map((list) => quoted(list).sort());
    expect(schemas).not.toHaveLength(0);
    for (const list of schemas) expect(list).toEqual([...neverAudited.schemas].sort());
    expect(matches(sql, /CREATE SCHEMA IF NOT EXISTS (\w+)/g)).toEqual([
      captureSchema.schema,
      captureSchema.heartbeatSchema,
    ]);
    expect(sql).toContain(`CREATE TABLE IF NOT EXISTS ${captureSchema.schema}.${captureSchema.signalTable} (`);
  });

  function columnsOfFacts(): string {
    return signalBodyColumns.slice(0, sessionFacts.length).join(", ");
  }
});

describe("the SQL of the destination", () => {
  const sql = files("database/destination", ".sql").map(withoutSqlComments).join("\n");

  test("keeps partitions as the operator does", () => {
    expect(matches(sql, /ahead interval DEFAULT '([^']*)'/g)).toEqual([operatorDefaults.partitionsAhead]);
    expect(matches(sql, /period text DEFAULT '([^']*)'/g)).toContain(operatorDefaults.partitionPeriod);
    expect(new Set(matches(sql, /period text DEFAULT '([^']*)'/g)).size).toBe(1);
  });

  test("calls the schema of the log as the source's exclusion does", () => {
    expect(auditEventsTable.schema).toBe(signals.neverAudited.schemas.audit);
    expect(matches(sql, /CREATE SCHEMA IF NOT EXISTS (\w+)/g)).toEqual([auditEventsTable.schema]);
  });
});

describe("the transformer", () => {
  const fromContract = matches(text("transformer/pom.xml"), /<include>([\w.-]+\.json)<\/include>/g);

  test("takes the same files of the contract into its jar and into its image's build", () => {
    const ofImage = /^COPY (contract\/.*) \/build\/contract\/$/m.exec(text("transformer/Dockerfile"))?.[1]?.split(" ");
    expect(ofImage).toEqual(fromContract.map((file) => `contract/${file}`));
    expect(matches(text(".dockerignore"), /^!(contract\/.*)$/gm)).toEqual(ofImage);
  });

  test("reads each of them, and no other", () => {
    const read = files("transformer/src/main", ".java").flatMap((file) =>
      matches(file, /ContractFile\.read\("(.*)"\)/g),
    );
    expect(read.sort()).toEqual([...fromContract].sort());
  });

  test.each(["transformer/src/main", "connect/src/main"])("has none of their words in %s", (folder) => {
    const words = [
      neverAudited.tablePrefix,
      captureSchema.heartbeatSchema,
      ...Object.values(deadLetterHeaders),
      ...deadLetterReasons,
      ...ignoredKinds.filter((kind) => kind.includes("-")),
      ...sessionFacts.slice(2),
    ];
    const own = files(folder, ".java").map(withoutComments).join("\n");
    expect(words.filter((word) => own.includes(`"${word}"`))).toEqual([]);
    expect(own).not.toMatch(/"body_/);
  });
});

describe("contract/README.md", () => {
  const readme = text("contract/README.md").replaceAll(/\s+/g, " ");

  test("tells the layout of a signal", () => {
    expect(readme).toContain(`\`body_1\` … \`${signalBodyColumns.at(-1)}\` (varchar(${signalBodyColumnLength}) each`);
    const facts = sessionFacts.map((fact, index) => `\`body_${index + 1}\` ${fact}`);
    expect(readme).toContain(`| \`session\` | null | ${facts.join(", ")};`);
    expect(matches(readme, /\| `(\w+)` \| (?:null|the table) \|/g)).toEqual(captureSchema.signalKinds);
  });

  test("tells what is ignored", () => {
    expect(readme).toContain(
      `Tables named \`${neverAudited.tablePrefix}*\`, the schema \`${captureSchema.heartbeatSchema}\`, and the schema ` +
        `\`${signals.neverAudited.schemas.audit}\` are counted and dropped`,
    );
    const kinds = /kinds: (.*?) \|/.exec(readme)?.[1] ?? "";
    expect(matches(kinds, /`([\w-]+)`/g)).toEqual(ignoredKinds);
  });

  test("tells how deep JSON may be, and what numeric holds", () => {
    const limit = (file: string, name: string) => {
      const source = text(`postgres-limits/src/main/java/io/cdcaudit/postgres/${file}.java`);
      return Number(source.match(new RegExp(`int ${name} = ([\\d_]+);`))?.[1]?.replaceAll("_", ""));
    };
    expect(new Set(matches(readme, /nested over (\d+) deep/g))).toEqual(
      new Set([`${limit("JsonDepth", "DEEPEST_WRITTEN")}`]),
    );
    expect(readme).toContain(
      `more than ${grouped(limit("NumericRange", "MOST_WHOLE_DIGITS"))} digits before the point or ` +
        `${grouped(limit("NumericRange", "MOST_FRACTION_DIGITS"))} after it`,
    );
  });

  test("lists every file of the folder", () => {
    const listed = new Set(
      matches(text("contract/README.md").split("\n## ")[0]!, /`([\w.-]+\.(?:ts|json)|samples\/)`/g),
    );
    const there = readdirSync(join(repositoryFolder, "contract")).map((name) =>
      name === "samples" ? "samples/" : name,
    );
    expect([...listed].sort()).toEqual(there.filter((name) => name !== "README.md").sort());
  });

  test("has no module with the name of a JSON file", () => {
    const names = readdirSync(join(repositoryFolder, "contract"));
    const data = new Set(names.filter((name) => name.endsWith(".json")).map((name) => name.replace(/\.json$/, "")));
    expect(names.filter((name) => name.endsWith(".ts") && data.has(name.replace(/\.ts$/, "")))).toEqual([]);
  });
});

describe("a time", () => {
  const { read, written } = timeSchema.definitions;

  test("is read and written as the examples say", () => {
    expect(read.examples.filter((example) => !new RegExp(read.pattern).test(example))).toEqual([]);
    expect(written.examples.filter((example) => !new RegExp(written.pattern).test(example))).toEqual([]);
    expect(read.examples.map((example) => new Date(example).getTime())).toEqual(
      written.examples.map((example) => new Date(example).getTime()),
    );
  });

  test("is read as it is written", () => {
    expect(written.examples.filter((example) => !new RegExp(read.pattern).test(example))).toEqual([]);
  });

  test("has the same form in every schema", () => {
    for (const schema of files("contract", ".schema.json").filter((content) => !content.includes('"title": "Time"'))) {
      expect(schema).not.toMatch(/\\\\d\{4\}-/);
    }
  });
});

/** Facts that product code may say in their home only; comments may repeat them, and so may the tests. */
const homes: readonly [fact: string, pattern: RegExp, home?: string][] = [
  ["PostgreSQL's port", new RegExp(`(?<![\\w:.])${postgresPort}\\b`), "contract/ports.ts"],
  ["the brokers' ports", new RegExp(`\\b(${Object.values(brokerPorts).join("|")})\\b`), "contract/ports.ts"],
  ["the sink's consumer group", /`connect-\$\{/, "contract/sink-connector.ts"],
  ["how far ahead partitions are made", /\b3 months/, "contract/operator.ts"],
  ["where the builds lie", /"(transformer\/target|connect\/target|operator\/dist)/, "contract/artifacts.ts"],
  ["names of DMS's own tables", new RegExp(neverAudited.tablePrefix)],
  ["the heartbeat's schema", new RegExp(captureSchema.heartbeatSchema)],
  ["the columns of a signal's body", /\bbody_\d/],
  [
    "headers of dead letters",
    literals([...Object.values(deadLetterHeaders), ...Object.values(connectDeadLetterHeaders)]),
  ],
  ["reasons of dead letters", literals(deadLetterReasons)],
];

describe("the product's TypeScript", () => {
  const folders = ["components", "config", "contract", "operator", "database", "local", "tools", "scripts"];
  const sources = ["index.ts", ...folders.flatMap((folder) => paths(folder, ".ts"))].map((path): [string, string] => [
    path,
    withoutComments(text(path)),
  ]);

  test.each(homes)("says %s in one place", (_fact, pattern, home) => {
    expect(sources.filter(([, code]) => pattern.test(code)).map(([path]) => path)).toEqual(home ? [home] : []);
  });
});

function literals(values: readonly string[]): RegExp {
  return new RegExp(`["'\`](${values.map((value) => value.replaceAll(".", "\\.")).join("|")})["'\`]`);
}

function quoted(list: string): string[] {
  return matches(list, /'([^']*)'/g);
}

function withoutSqlComments(sql: string): string {
  return sql.replaceAll(/^\s*--.*$/gm, "");
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

function files(folder: string, ending: string): string[] {
  return paths(folder, ending).map(text);
}

/** Files below a folder, without what is built or installed, in alphabetical order. */
function paths(folder: string, ending: string): string[] {
  return readdirSync(join(repositoryFolder, folder))
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => {
      if (/(^|\/)(node_modules|target|dist)$/.test(path)) return [];
      const full = join(repositoryFolder, path);
      if (statSync(full).isDirectory()) return paths(path, ending);
      return path.endsWith(ending) ? [relative(repositoryFolder, full)] : [];
    });
}
