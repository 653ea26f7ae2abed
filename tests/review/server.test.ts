import { describe, expect, it } from "vitest";
import type { AsOf, Change } from "../../review/api";
import { databaseOf } from "../../review/command";
import { loginOf } from "../../review/server/database";
import { failureOf } from "../../review/server/failures";
import { filterText, hiddenColumns, maySee, readerOf, tableParts } from "../../review/server/reader";
import { settingsFromEnvironment } from "../../review/server/settings";
import { csvCell, ndjson } from "../../review/server/views/export";
import { windowOf } from "../../review/server/views/feed";
import { differing, stepsOf } from "../../review/server/views/record";
import { obstaclesOf } from "../../review/server/views/undo";
import { reviewEnvironment } from "../../contract/review-environment";

const change = (more: Partial<Change>): Change => ({
  time: "2026-11-05T10:00:00.000000Z",
  event: "e",
  source: "s",
  transaction: "1",
  sequence: 1,
  actor: null,
  request: null,
  operation: "update",
  table: "shop.orders",
  key: '{"id": 1}',
  before: {},
  after: {},
  changed: [],
  unknown: [],
  untyped: [],
  redacted: [],
  masked: [],
  detail: null,
  partition: null,
  storedAt: "2026-11-05T10:00:01.000000Z",
  ...more,
});

describe("A reader", () => {
  const groups = {
    support: { tables: ["shop.*"] },
    payroll: { tables: ["hr.salaries"], reveal: true },
    all: { tables: ["*"], unmasked: true },
  };

  it("has the rights of all of their groups", () => {
    const reader = readerOf("dave", ["support", "payroll", "unknown"], groups, ["hr.salaries.amount"]);
    expect(reader).toMatchObject({ scope: ["hr.salaries", "shop.*"], masked: ["hr.salaries.amount"], mayReveal: true });
    expect(readerOf("erin", ["all"], groups, ["hr.salaries.amount"])).toMatchObject({ scope: null, masked: [] });
  });

  it("sees a table by its name as SQL reads it, and none that only looks like it", () => {
    const scope = { scope: ["shop.*", "hr.salaries", "Odd.Table"] };
    for (const table of ["shop.orders", "SHOP.ORDERS", '"shop"."orders"', "hr.salaries", '"Odd"."Table"']) {
      expect(maySee(scope, table)).toBe(true);
    }
    for (const table of [
      "shopping.orders",
      "hr.people",
      "odd.table",
      '"shop.orders"."x"',
      '"Shop".orders',
      "salaries",
    ]) {
      expect(maySee(scope, table)).toBe(false);
    }
    expect(tableParts('"a""b".c')).toEqual(['a"b', "c"]);
    expect(() => tableParts("a.b.c")).toThrow("not the name of a table");
  });

  it("asks with a key whose digits stay", () => {
    const reader = { scope: ["shop.*"], masked: ["shop.customers.email"] };
    const key = '{"id": 12345678901234567890}';
    expect(filterText({ table: ["shop.customers"], key }, reader)).toBe(
      `{"table":["shop.customers"],"visible":["shop.*"],"hidden":["shop.customers.email"],"key":${key}}`,
    );
    expect(filterText({ key }, { scope: null, masked: [] })).toBe(`{"key":${key}}`);
    expect(JSON.parse(hiddenColumns(["a.b.c.d", "a.b.e"]) as string)).toEqual({ "a\u0001b": ["c.d", "e"] });
  });
});

describe("A record's steps", () => {
  it("tell where the key was another, what happened to the table, and where the log has a gap", () => {
    const at = (minute: string) => `2026-11-05T10:${minute}:00.000000Z`;
    const gone = change({
      operation: "load",
      time: at("09"),
      detail: '{"reason": "not there any more when the table was loaded again", "last_seen": "2026-11-05T10:05:00Z"}',
    });
    const steps = stepsOf(
      [
        { change: gone, related: false },
        { change: change({ time: at("05"), key: '{"id": 2}' }), related: false },
        { change: change({ time: at("03") }), related: false },
        { change: change({ time: at("02"), table: "shop.lines" }), related: true },
      ],
      [change({ operation: "schema", time: at("04") })],
    );
    expect(steps.map(({ kind }) => kind)).toEqual(["gap", "change", "table", "moved", "change", "change"]);
    expect(steps[0]).toMatchObject({ from: at("05"), to: at("09") });
    expect(steps[3]).toMatchObject({ former: { key: '{"id": 1}' } });
  });

  it("differ between two moments where values do, or may", () => {
    const asOf = (row: AsOf["row"], unknown: readonly string[] = []): AsOf => ({
      time: "",
      row,
      unknown,
      masked: [],
      absence: null,
    });
    expect(differing(asOf({ a: "1", b: "2", d: "4" }), asOf({ a: "1.0", b: "2" }, ["c"]))).toEqual(["a", "c", "d"]);
  });
});

describe("An export", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["plain", "plain"],
    ['a "b", c', '"a ""b"", c"'],
    ["a\nb", '"a\nb"'],
  ])("writes %j so that a spreadsheet shows it as text", (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  it("puts values in as their text", () => {
    const line = ndjson.change(change({ after: { n: "12345678901234567890.10", "a b": '"x"' } }));
    expect(line).toContain('"after":{"n":12345678901234567890.10,"a b":"x"}');
    expect(line).toContain('"key":{"id": 1}');
  });
});

describe("A window", () => {
  it("is the one that was asked for, or the default before its end", () => {
    const now = new Date("2026-11-05T12:00:00Z");
    expect(windowOf({}, 3600, now)).toEqual({
      from: "2026-11-05T11:00:00.000000Z",
      to: "2026-11-05T12:00:00.000000Z",
      isDefault: true,
    });
    expect(windowOf({ from: "2026-11-01T00:00:00Z" }, 3600, now)).toMatchObject({ isDefault: false });
  });
});

describe("A failure", () => {
  it.each([
    ["57014", "took too long"],
    ["22023", "not understood"],
    ["0A000", "refused"],
    ["P0002", "not found"],
    ["08006", "database away"],
    ["57P01", "database away"],
    ["ECONNREFUSED", "database away"],
    ["42883", "broken"],
    ["XX000", "broken"],
  ])("of code %s says: %s", (code, kind) => {
    const { body } = failureOf(Object.assign(new Error("the reason"), { code, hint: "a hint" }));
    expect(body.error).toBe(kind);
    // What is not meant for the person who asks stays inside.
    if (kind === "broken" || kind === "database away") expect(JSON.stringify(body)).not.toContain("the reason");
  });

  it("of an undo is what its comments say", () => {
    expect(obstaclesOf("BEGIN;\n-- In the way: it was changed.\nDO $undo$\n-- x\n")).toEqual([
      "In the way: it was changed.",
      "x",
    ]);
  });
});

describe("Settings", () => {
  it("are what the component writes", () => {
    const environment = reviewEnvironment({
      database: { host: "db.example", port: 5432, name: "audit", user: "audit_review" },
      region: "eu-central-1",
      port: 8080,
      publicOrigin: "https://audit.example.com",
      loadBalancerArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/1",
      issuer: "https://login.example.com",
      clientId: "page",
      readerClaim: "email",
      groupsClaim: "groups",
      groups: { support: { tables: ["shop.*"] } },
      maskedColumns: ["shop.customers.email"],
    });
    expect(settingsFromEnvironment({ ...environment, REVIEW_DATABASE_PASSWORD: "p" })).toMatchObject({
      database: { host: "db.example", database: "audit", password: "p", tls: "verify" },
      port: 8080,
      publicOrigin: "https://audit.example.com",
      maskedColumns: ["shop.customers.email"],
      signIn: { kind: "load balancer", groups: { support: { tables: ["shop.*"] } } },
    });
    expect(() => settingsFromEnvironment({ ...environment, REVIEW_GROUPS: "[" })).toThrow(
      /REVIEW_DATABASE_PASSWORD.*\nREVIEW_GROUPS: is not JSON/,
    );
  });

  it("of the command are those of a connection URL, without TLS on loopback alone", () => {
    expect(databaseOf("postgres://carol:s%20cret@127.0.0.1:5433/audit")).toEqual({
      host: "127.0.0.1",
      port: 5433,
      database: "audit",
      user: "carol",
      password: "s cret",
      tls: "off",
    });
    expect(databaseOf("postgres://db.example/audit")).toMatchObject({
      user: "audit_review",
      port: 5432,
      tls: "verify",
    });
    expect(loginOf(databaseOf("postgres://db.example/audit")).ssl).toMatchObject({ rejectUnauthorized: true });
    expect(loginOf(databaseOf("postgres://127.0.0.1/audit"))).not.toHaveProperty("ssl");
    expect(() => databaseOf("postgres://db.example/audit?sslmode=disable")).toThrow("only loopback needs no TLS");
    expect(() => databaseOf("postgres://db.example")).toThrow("names no database");
  });
});
