import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { actorSourcePattern } from "../../../contract/actor-sources";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { type DatabaseClient, errorOf, type TestServer } from "../../../local/servers/test-server";
import { renewOrders, startShopSource } from "../support/shop-source";
import { takeSignals } from "../support/signals";

let server: TestServer;
let client: DatabaseClient;
let application: Client;

beforeAll(async () => {
  ({ server, client } = await startShopSource());
  await client.query("CREATE ROLE clerk LOGIN PASSWORD 'clerk'");
  application = await server.connect({ database: client.database, user: "clerk", password: "clerk" });
});

afterAll(() => server.stop());

beforeEach(async () => {
  await application.query("ROLLBACK");
  await renewOrders(client);
  await client.query(`
    SELECT capture.watch('shop.orders', identify_actor => true), capture.set_actor_sources();
    GRANT USAGE ON SCHEMA shop TO clerk;
    GRANT SELECT, INSERT, UPDATE ON shop.orders TO clerk`);
  await takeSignals(client);
});

let nextId = 0;
/** Who the log names, and from which source, for an insert behind `before` and with `comment` at its end. */
async function named(before: readonly string[], comment = ""): Promise<[string, string | undefined]> {
  await application.query("BEGIN");
  for (const statement of before) await application.query(statement);
  await application.query(`INSERT INTO shop.orders (id) VALUES (${++nextId})${comment}`);
  await application.query("COMMIT");
  const [signal] = await takeSignals(client);
  return [signal?.body.actor, signal?.body.context?.actor_source];
}

describe("The actor trigger", () => {
  // Each in the form that its library is known to write. The tests of clients/ have MikroORM, Prisma and pghistory write theirs.
  it.each([
    [
      "PostgREST and Supabase",
      [
        `select set_config('request.jwt.claims', '{"role": "authenticated", "sub": "8f1c", "email": "mia@shop.example"}', true)`,
      ],
      "8f1c",
      "request.jwt.claims ->> sub",
    ],
    [
      "Hasura",
      [`SET LOCAL "hasura.user" = '{"x-hasura-role": "clerk", "x-hasura-user-id": "42"}'`],
      "42",
      "hasura.user ->> x-hasura-user-id",
    ],
    [
      "PostGraphile",
      ["select set_config('role', 'clerk', true), set_config('jwt.claims.user_id', '27', true)"],
      "27",
      "jwt.claims.user_id",
    ],
    [
      "django-pghistory",
      [
        `SELECT set_config('pghistory.context_id', '6f0e', true), set_config('pghistory.context_metadata', '{"user": 7, "url": "/orders/"}', true)`,
      ],
      "7",
      "pghistory.context_metadata ->> user",
    ],
    ["logidze", [`SET LOCAL logidze.meta = '{"_r":12}'`], "12", "logidze.meta ->> _r"],
  ])("takes the name that %s sets", async (_, before, actor, source) => {
    expect(await named(before)).toEqual([actor, source]);
    // It was local to its transaction.
    expect(await named([])).toEqual(["clerk", undefined]);
  });

  it("takes what MikroORM sets as capture.actor without a source", async () => {
    expect(await named(["select set_config('capture.actor', 'mia', true)"])).toEqual(["mia", undefined]);
  });

  it("takes a tag of sqlcommenter from the end of the statement, decoded", async () => {
    const source = "comment actor";
    expect(await named([], " /*actor='mia%40shop.example',route='%2Forders'*/")).toEqual(["mia@shop.example", source]);
    expect(await named([], " /*action='create',actor='J%C3%BCrgen%20O\\'Hara'*/ ;")).toEqual(["Jürgen O'Hara", source]);
  });

  it.each([
    ["beside a * or a / that its library leaves as it is", " /*actor='mia',route='/orders%2F*'*/", "mia"],
    [
      "with a % that its library has doubled for a driver",
      " /*actor='mia%%40shop.example%%2C%%20100%%25'*/;",
      "mia@shop.example, 100%",
    ],
    ["that is a number without quotes", " /*actor=7,route='%2Forders'*/", "7"],
    ["in front of another comment", " /*actor='mia'*/ /*traceparent='00-1'*/", "mia"],
    ["behind another comment", " /*traceparent='00-1'*/ /*actor='mia'*/", "mia"],
  ])("takes a tag of sqlcommenter %s", async (_, comment, actor) => {
    expect(await named([], comment)).toEqual([actor, "comment actor"]);
  });

  it("takes a tag of sqlcommenter from the beginning of the statement where the end has none", async () => {
    const write = async (before: string, after: string) => {
      await application.query(`${before}INSERT INTO shop.orders (id) VALUES (${++nextId})${after}`);
      return (await takeSignals(client))[0]?.body.actor;
    };
    expect(await write("/*actor='mia%40shop.example',route='%2Forders'*/ ", "")).toBe("mia@shop.example");
    expect(await write("/*actor='mia'*/ ", " /*traceparent='00-1'*/")).toBe("mia");
    expect(await write("/*actor='mia'*/ ", " /*actor='noah'*/")).toBe("noah");
    expect(await write("/* hand-written */ ", "")).toBe("clerk");
  });

  it.each([
    ["in a value", "(id, secret) VALUES (ID, $$/*actor='mallory'*/$$)"],
    [
      "in a value between comments",
      "/*route='%2Forders'*/ (id, secret) VALUES (ID, $$,actor='mallory'/*$$) /*traceparent='00-1'*/",
    ],
    ["before the end", "(id) VALUES (ID) /*actor='mallory'*/ RETURNING id"],
    ["in front of a line that ends like a comment", "(id) VALUES (ID) /*a*/ RETURNING id AS x,id=0 -- ,actor='m' */"],
    ["of another name", "(id) VALUES (ID) /*factor='mallory'*/"],
    ["that is no text", "(id) VALUES (ID) /*actor='%FF%FE'*/"],
    ["that is empty", "(id) VALUES (ID) /*actor=''*/"],
    ["in the value of another one", "(id) VALUES (ID) /*route='/find,actor=mallory'*/"],
    ["that ends before its value does", "(id) VALUES (ID) /*actor=mia@shop.example*/"],
    ["whose quotes are doubled", "(id) VALUES (ID) /*actor='O''Hara'*/"],
  ])("takes no tag %s", async (_, insert) => {
    await application.query(`INSERT INTO shop.orders ${insert.replace("ID", String(++nextId))}`);
    const [signal] = await takeSignals(client);
    expect([signal?.body.actor, signal?.body.context?.actor_source]).toEqual(["clerk", undefined]);
  });

  it("reads no more of a large statement than its ends", async () => {
    const told = async (query: string, ...values: unknown[]) => {
      const { rows } = await client.query(`SELECT capture.said_in_comment(${query}, 'actor') AS name`, values);
      return (rows[0] as { name: string | null }).name;
    };
    const begun = performance.now();
    expect(await told("$1 || repeat('/**/', 30000)", "INSERT INTO notes VALUES (1)")).toBeNull();
    expect(await told("repeat('/*x*/', 1000000) || $1", " /*actor='mia'*/")).toBe("mia");
    expect(await told("$1 || repeat('/*x*/', 1000000)", "/*actor='mia'*/ INSERT INTO notes VALUES ('")).toBe("mia");
    expect(await told("repeat('x', 140000000) || $1", "*/ '")).toBeNull();
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it("takes the application's own word first, then the first source that has a name", async () => {
    const claims = `select set_config('request.jwt.claims', '{"sub": "from-claims"}', true)`;
    const hasura = `SET LOCAL "hasura.user" = '{"x-hasura-user-id": "from-hasura"}'`;
    expect(await named([claims, hasura, "SELECT set_config('capture.actor', 'alice', true)"])).toEqual([
      "alice",
      undefined,
    ]);
    expect(await named([hasura, claims])).toEqual(["from-claims", "request.jwt.claims ->> sub"]);
    expect(await named([`select set_config('request.jwt.claims', '{"role": "anon"}', true)`, hasura])).toEqual([
      "from-hasura",
      "hasura.user ->> x-hasura-user-id",
    ]);
  });

  it("lets no setting fail a write, and takes no name from what is no JSON", async () => {
    for (const value of ["{broken", "[]", '"text"', "null", '{"sub": null}', '{"sub": "  "}', '{"sub": "\\u0000"}']) {
      expect(await named([`select set_config('request.jwt.claims', '${value}', true)`])).toEqual(["clerk", undefined]);
    }
    const deep = "select set_config('request.jwt.claims', repeat('[', 100000), true)";
    expect(await named([deep])).toEqual(["clerk", undefined]);
  });

  it("has the order and the sources that it is told, also behind another bootstrap", async () => {
    const claims = `select set_config('request.jwt.claims', '{"sub": "8f1c", "email": "mia@shop.example"}', true)`;
    await client.query("SELECT capture.set_actor_sources('{app.user_id,request.jwt.claims ->> email}')");
    await bootstrapSource(client, { tables: [] });
    expect(await named([claims])).toEqual(["mia@shop.example", "request.jwt.claims ->> email"]);
    expect(await named([claims, "SET LOCAL app.user_id = '9'"])).toEqual(["9", "app.user_id"]);
    expect(await named(["SET LOCAL jwt.claims.user_id = '27'"])).toEqual(["clerk", undefined]);
  });

  it("has no source where it is told none, also behind another bootstrap", async () => {
    const claims = `select set_config('request.jwt.claims', '{"sub": "8f1c"}', true)`;
    await client.query("SELECT capture.set_actor_sources('{}')");
    expect(await named([claims])).toEqual(["clerk", undefined]);
    await bootstrapSource(client, { tables: [] });
    expect(await named([claims])).toEqual(["clerk", undefined]);
    await client.query("SELECT capture.set_actor_sources(NULL)");
    expect(await named([claims])).toEqual(["8f1c", "request.jwt.claims ->> sub"]);
  });

  it.each([
    "app.user_id",
    "app.große_kennung",
    "request.jwt.claims",
    "request.jwt.claims ->> https://shop.example/id, 'quoted'",
    "hasura.user ->> two\nlines",
    "comment actor",
    "comment 利用者",
  ])("takes the source %j, as the settings of a stack do", async (source) => {
    expect(source).toMatch(actorSourcePattern);
    await client.query("SELECT capture.set_actor_sources($1)", [[source]]);
    const { rows } = await client.query("SELECT source FROM capture.actor_sources");
    expect(rows).toEqual([{ source }]);
    expect(await named([])).toEqual(["clerk", undefined]);
  });

  it.each([
    "",
    "user",
    ".user",
    "app.",
    "a..b",
    "a.b -> c",
    "app.user-id",
    " app.user_id",
    "app.user_id\n",
    "comment a b",
    "comment a.b",
    "comment ",
    "request.jwt.claims ->> ",
    "request.jwt.claims->>sub",
  ])("refuses the source %j, as the settings of a stack do", async (source) => {
    expect(source).not.toMatch(actorSourcePattern);
    const error = await errorOf(client.query("SELECT capture.set_actor_sources($1)", [[source]]));
    expect(error.message).toBe(`capture.set_actor_sources: ${client.escapeLiteral(source)} is no source`);
  });

  it("refuses a member with a character that no JSON of PostgreSQL holds, as the settings of a stack do", async () => {
    const source = "request.jwt.claims ->> a\0";
    expect(source).not.toMatch(actorSourcePattern);
    await errorOf(client.query("SELECT capture.set_actor_sources($1)", [[source]]));
  });

  it("can't be made to run what a source or a value holds", async () => {
    await client.query("SELECT capture.set_actor_sources($1)", [["request.jwt.claims ->> it's"]]);
    expect(await named([`select set_config('request.jwt.claims', '{"it''s": "mia''); DROP TABLE"}', true)`])).toEqual([
      "mia'); DROP TABLE",
      "request.jwt.claims ->> it's",
    ]);
  });
});
