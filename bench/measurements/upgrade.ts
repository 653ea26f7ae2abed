import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../local/servers/database-client";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import { countChanges } from "../systems/audit-system";
import { stored } from "./arrival";
import type { SystemUnderTest } from "./setting";

/** Rows that are changed in turns. */
const rows = 50;

/**
 * Gives the log of an earlier build today's SQL, as the operator does, while that build's sink stores what is written all the
 * time. Fails unless every change is in the log once, and the log tells what each row is now.
 */
export async function measureUpgrade({ system, setting }: SystemUnderTest): Promise<void> {
  await withClient(setting.application, (application) =>
    withClient(setting.observer, async (observer) => {
      const from = await versionOf(observer);
      const storedBefore = await countChanges(observer, system);
      const writing = new AbortController();
      const writer = write(application, writing.signal);
      await sleep(setting.seconds * 500);
      const begun = performance.now();
      await bootstrapDestination(observer, { passwords: {} });
      const milliseconds = performance.now() - begun;
      const to = await versionOf(observer);
      await sleep(setting.seconds * 500);
      writing.abort();
      const { changes, slowest } = await writer;
      await stored(setting, observer, system, storedBefore + changes);
      await compare(application, observer);
      setting.recorder.recordAll({ system: system.name, phase: "upgrade" }, [
        {
          metric: `the log's SQL, from version ${from} to ${to}`,
          value: milliseconds,
          unit: "ms",
        },
        { metric: "changes written meanwhile, each in the log once", value: changes, unit: "" },
        { metric: "the application's slowest statement", value: slowest, unit: "ms" },
      ]);
    }),
  );
}

async function versionOf(observer: Client): Promise<number> {
  const { rows: found } = await observer.query<{ version: number }>("SELECT audit.sql_version() AS version");
  return found[0]?.version as number;
}

/** Changes a row every few milliseconds until it is told to stop. */
async function write(application: Client, until: AbortSignal): Promise<{ changes: number; slowest: number }> {
  let changes = 0;
  let slowest = 0;
  while (!until.aborted) {
    const begun = performance.now();
    await application.query("UPDATE ledger.accounts SET balance = balance + 1.25 WHERE id = $1", [
      1 + (changes % rows),
    ]);
    slowest = Math.max(slowest, performance.now() - begun);
    changes += 1;
    await sleep(2);
  }
  return { changes, slowest };
}

/** Today's functions over events of both versions. */
async function compare(application: Client, observer: Client): Promise<void> {
  const { rows: held } = await application.query<{ id: string; balance: string }>(
    "SELECT id::text, balance::text FROM ledger.accounts WHERE id <= $1 ORDER BY accounts.id",
    [rows],
  );
  for (const { id, balance } of held) {
    const { rows: told } = await observer.query<{ balance: string }>(
      `SELECT audit.row_as_of('ledger.accounts', jsonb_build_object('id', $1::bigint)) ->> 'balance' AS balance`,
      [id],
    );
    if (told[0]?.balance !== balance) {
      throw new Error(`After the upgrade the log tells ${told[0]?.balance} of account ${id}, which holds ${balance}.`);
    }
  }
}
