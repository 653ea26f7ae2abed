import { hostname } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "../../../faults/stops/source";
import { openSource } from "../../../local/command/source-setup";
import { AuditedSource } from "../../../local/parts/source";
import { connectionUrl } from "../../../local/servers/database-client";
import { type DatabaseClient, superuser, TestServer } from "../../../local/servers/test-server";
import { bootstrapSource } from "../../../operator/database/bootstrap";

let server: TestServer;
let client: DatabaseClient;
let url: string;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
});
afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  url = connectionUrl({ host: "127.0.0.1", port: server.port, ...superuser, database: client.database });
  await client.query("CREATE SCHEMA app; CREATE TABLE app.orders (id integer PRIMARY KEY)");
});

const tables = { include: [{ schema: "app", table: "%" }], exclude: [] };
const run = "22222222-2222-4222-8222-222222222222";

/** What a run of another machine left: killed, or kept on purpose. */
async function leftElsewhere(kept: boolean): Promise<void> {
  const source = await AuditedSource.open(url, {
    run: "11111111-1111-4111-8111-111111111111",
    account: "alice@elsewhere",
    machine: "elsewhere",
    folder: "a-checkout-of-alice/.local",
    process: 4711,
  });
  await source.begin();
  await bootstrapSource(client, { tables: tables.include });
  if (kept) await source.leave(true);
  await source.close();
}

/** Opens the source as the command does, and notes what the user is told. */
async function open(keep = false) {
  const told: string[] = [];
  const note = (text: string) => void told.push(text);
  const opened = await openSource(url, tables, { run, keep }, { note });
  return { ...opened, told };
}

describe("a source that another run has left", () => {
  it("is taken back after that run was killed, and the user is told whose it was", async () => {
    const before = await fingerprint(client);
    await leftElsewhere(false);
    const { source, told } = await open();
    await source.close();

    expect(told).toEqual([
      expect.stringMatching(
        /A local run was killed and left its capture in 127\.0\.0\.1:\d+\/test_\d+: alice@elsewhere, folder a-checkout-of-alice\/\.local, process 4711, since \d{4}-.* UTC\. It is taken back, in \d+\.\d s\./,
      ),
    ]);
    expect(await fingerprint(client)).toEqual(before);
  });

  it("stays when it was kept on purpose: the user is told by whom, and how to take it back", async () => {
    await leftElsewhere(true);
    const before = await fingerprint(client);

    await expect(open(true)).rejects.toThrow(
      /kept its capture in .* with --keep: alice@elsewhere.*npm run local:clean -- --source postgres:\/\/postgres:PASSWORD@127/s,
    );
    expect(await fingerprint(client)).toEqual(before);
    const source = await AuditedSource.open(url, {
      run,
      account: "bob",
      machine: hostname(),
      folder: "/f",
      process: 1,
    });
    await source.takeBack();
    await source.close();
  });

  it("can be opened by the next command once the one before has let go", async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(/A local run is about to capture the source, or to leave it/);
    await first.source.close();
    const { source, told } = await open();
    await source.close();
    expect(told).toEqual([]);
  });
});
