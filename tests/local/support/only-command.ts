import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { repositoryFolder } from "../../../local/machine/folders";

const checkout = createHash("sha256").update(repositoryFolder).digest("hex").slice(0, 12);
const lockFile = join(tmpdir(), `cdc-audit-command-${checkout}`);

/**
 * Lets the tests of a file run the local command while no other file does: a checkout has one local pipeline, and files of
 * tests run side by side.
 */
export function runsTheOnlyCommand(): void {
  beforeAll(async () => {
    while (!taken()) await sleep(200);
  });
  afterAll(() => rmSync(lockFile, { force: true }));
}

function taken(): boolean {
  try {
    const file = openSync(lockFile, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (!holderLives()) rmSync(lockFile, { force: true });
    return false;
  }
}

/** Whether the process that has the lock is there; a file without a number is being written. */
function holderLives(): boolean {
  try {
    const holder = Number(readFileSync(lockFile, "utf8"));
    if (holder > 0) process.kill(holder, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
