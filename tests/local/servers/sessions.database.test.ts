import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { valueSettings } from "../../../contract/session-settings";
import { sourceDatabase } from "../../../local/dms-stand-in/source-database";
import { connectionUrl, withClient } from "../../../local/servers/database-client";
import { superuser, TestServer } from "../../../local/servers/test-server";
import { openUntil } from "../../../operator/lambda/connection";

let server: TestServer;
/** A URL that asks for other settings than ours, as a person's may. */
let url: string;

beforeAll(async () => {
  server = await TestServer.start();
  const options = encodeURIComponent("-c datestyle=German -c timezone=Asia/Kathmandu -c search_path=theirs");
  url = `${connectionUrl({ host: "127.0.0.1", port: server.port, database: "postgres", ...superuser })}?options=${options}`;
});

afterAll(() => server.stop());

interface Session {
  query(sql: string, values: unknown[]): Promise<{ rows: { name: string; value: string }[] }>;
}

async function settingsOf(session: Session, names = Object.keys(valueSettings)): Promise<Record<string, string>> {
  const { rows } = await session.query("SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name", [
    names,
  ]);
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

describe("A session of the pipeline spells values alike, whatever server and URL ask for:", () => {
  it("the operator's, which finds nothing but the system's own without a schema", async () => {
    const client = await openUntil(new Client({ connectionString: url }), new AbortController().signal);
    expect(await settingsOf(client, [...Object.keys(valueSettings), "search_path"])).toEqual({
      ...valueSettings,
      search_path: "pg_catalog, pg_temp",
    });
    await client.end();
  });

  it("that of a tool or a local reader, which finds what its user finds", async () => {
    await withClient({ connectionString: url }, async (client) => {
      expect(await settingsOf(client, [...Object.keys(valueSettings), "search_path"])).toEqual({
        ...valueSettings,
        search_path: "theirs",
      });
    });
  });

  it("the stand-in's, each of its pool", async () => {
    const pool = sourceDatabase(url);
    const sessions = await Promise.all([pool.connect(), pool.connect()]);
    for (const session of sessions) expect(await settingsOf(session)).toEqual(valueSettings);
    for (const session of sessions) session.release();
    await pool.end();
  });
});
