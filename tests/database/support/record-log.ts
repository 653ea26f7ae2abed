import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { emptyLog, storeEvents } from "./audit-events";
import { recordQuestions } from "./record-questions";
import type { Stream } from "./stream";

/** A log for the tests of a file, empty before each, and the questions of a reader with the rights of audit_reader alone. */
export function recordLog() {
  let server: TestServer;
  let client: Client;
  let reader: Client;

  beforeAll(async () => {
    server = await TestServer.start();
    const database = await server.createDatabase();
    client = database;
    await bootstrapDestination(client);
    reader = await server.connect({ database: database.database });
    await reader.query("SET ROLE audit_reader");
  });

  afterAll(() => server.stop());

  beforeEach(() => emptyLog(client));

  return {
    ...recordQuestions(() => reader),
    /** Connected as the superuser, once the tests run. */
    client: () => client,
    reader: () => reader,
    store: (...streams: readonly Stream[]) =>
      storeEvents(
        client,
        streams.flatMap(({ events }) => events),
      ),
  };
}
