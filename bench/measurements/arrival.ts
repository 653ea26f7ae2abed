import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../local/servers/database-client";
import { countChanges, type AuditSystem } from "../systems/audit-system";
import type { Setting } from "./setting";

/** How long a measurement waits for changes before it fails. */
const patienceMilliseconds = 900_000;

/** Waits until exactly this many changes are in the log. The checks are cheap, because the same machine does the work. */
export async function stored(setting: Setting, observer: Client, system: AuditSystem, changes: number): Promise<void> {
  const checkDeadline = await everythingArrived(setting, observer, system);
  for (;;) {
    const begin = performance.now();
    const count = await countChanges(observer, system);
    if (count === changes) return;
    if (count > changes) throw new Error(`${system.name}: ${count} changes in the log, but ${changes} were written.`);
    checkDeadline(`${count} of ${changes} changes have arrived`);
    await sleep(Math.max(20, 5 * (performance.now() - begin)));
  }
}

/**
 * Waits for a row that is written after everything else and is not counted. Returns a function that throws when the time
 * to wait is over.
 */
export async function everythingArrived(
  setting: Setting,
  observer: Client,
  system: AuditSystem,
): Promise<(state: string) => void> {
  const marked = Date.now();
  const deadline = marked + patienceMilliseconds;
  const checkDeadline = (state: string) => {
    if (Date.now() > deadline)
      throw new Error(`${system.name}: ${state} after ${patienceMilliseconds / 60_000} minutes.`);
  };
  await withClient(setting.source, (source) => source.query("UPDATE ledger.marker SET at = clock_timestamp()"));
  while (((await system.newestCommit(observer)) ?? 0) < marked) {
    checkDeadline("the newest change has not arrived");
    await sleep(20);
  }
  return checkDeadline;
}
