import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { captureParameters, isStaticParameter } from "../../../components/aurora-postgres/parameters";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";

let server: TestServer;
let client: DatabaseClient;
let version: string;

beforeAll(async () => {
  server = await TestServer.start();
  client = await server.createDatabase();
  version = (await client.query("SHOW server_version")).rows[0].server_version;
});

afterAll(() => server.stop());

async function parametersOf(condition: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM pg_settings WHERE ${condition} ORDER BY name`,
  );
  return rows.map(({ name }) => name);
}

describe("the parameters that take effect at a restart", () => {
  it("are all of those that a real server takes at its start", async () => {
    const atStart = await parametersOf("context = 'postmaster'");
    expect(atStart.length).toBeGreaterThan(40);
    expect(atStart.filter((name) => !isStaticParameter(name, version))).toEqual([]);
  });

  it("are none that a real server takes while it runs", async () => {
    const later = await parametersOf("context NOT IN ('postmaster', 'internal')");
    expect(later.filter((name) => isStaticParameter(name, version))).toEqual([]);
  });

  it("are applied so where the capture needs them", async () => {
    const atStart = new Set([...(await parametersOf("context = 'postmaster'")), "rds.logical_replication"]);
    for (const { name, applyMethod } of captureParameters) {
      expect([name, applyMethod]).toEqual([name, atStart.has(name) ? "pending-reboot" : "immediate"]);
    }
  });
});
