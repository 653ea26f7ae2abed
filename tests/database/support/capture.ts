import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { TestServer } from "../../../local/servers/test-server";

/** A database in which capture is prepared and, before each test, no table is left nor anything known of one. */
export interface CaptureDatabase {
  readonly server: TestServer;
  readonly client: Client;
  /** What the server warned of since the test began. */
  warnings: string[];
  /** Such as `public.orders`, in the order of their names. */
  watchedTables(): Promise<string[]>;
}

/** Makes it for the tests of a file; to be read when a test runs. */
export function captureDatabase(): CaptureDatabase {
  let server: TestServer;
  let client: Client;
  const database: CaptureDatabase = {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
    warnings: [],
    watchedTables: async () =>
      (
        await client.query<{ name: string }>(
          "SELECT format('%s.%s', schema_name, table_name) AS name FROM capture.watched_tables ORDER BY 1",
        )
      ).rows.map(({ name }) => name),
  };

  beforeAll(async () => {
    server = await TestServer.start();
    client = await server.createDatabase();
    await bootstrapSource(client, { tables: [] });
    client.on("notice", ({ severity, message }) => {
      if (severity === "WARNING") database.warnings.push(message ?? "");
    });
  });

  afterAll(() => server.stop());

  beforeEach(async () => {
    await client.query("DISCARD ALL");
    await client.query("SET client_min_messages = warning");
    await client.query("DROP SCHEMA IF EXISTS public, app CASCADE");
    await client.query("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC");
    await client.query("TRUNCATE capture.watched_tables, capture.selection, capture.limits, capture.signal");
    database.warnings = [];
  });

  return database;
}
