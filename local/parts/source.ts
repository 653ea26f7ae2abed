import { setTimeout as sleep } from "node:timers/promises";
import { checkSource, uninstallSource } from "../../operator/database/bootstrap";
import { withClient } from "../servers/database-client";

const dropSlotAttempts = 50;

/**
 * Problems of a source database that would keep the pipeline from capturing it, each with its fix. One of them is a
 * capture without this pipeline's slot: it belongs to another pipeline, and a run would take it over and remove it.
 */
export async function sourceProblems(source: string, slotName: string): Promise<string[]> {
  return withClient({ connectionString: source }, async (client) => {
    const { rowCount: foreign } = await client.query(
      `SELECT FROM pg_namespace WHERE nspname = 'capture'
         AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database())`,
      [slotName],
    );
    if (foreign) {
      return [
        "The database already has a capture (schema capture). A local run would change its passwords and remove it at " +
          "the end, so a deployed pipeline would stop. Use another database, such as a copy. If nothing else uses " +
          "that capture, remove it: DROP SCHEMA capture CASCADE.",
      ];
    }
    return (await checkSource(client)).map((problem) => `${problem.what}. ${problem.why}. ${problem.fix}.`);
  });
}

/** Removes what a run put into a database of the user's own: the slot and what capture installed. */
export async function cleanSource(source: string, slotName: string): Promise<void> {
  await withClient({ connectionString: source }, async (client) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.query(
          "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
          [slotName],
        );
        break;
      } catch (error) {
        // The server notices a closed replication connection a moment later.
        if (attempt === dropSlotAttempts) throw error;
        await sleep(100);
      }
    }
    await uninstallSource(client);
  });
}
