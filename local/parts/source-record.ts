import type { Client } from "pg";
import type { FoundRole } from "./found-role";

/** The schema in a source that says which run captures it. It is made before anything else and removed after the rest. */
export const recordSchema = "cdc_audit_local";

/** Who runs a pipeline, and where. */
export interface Runner {
  /** Tells one run from any other. */
  readonly run: string;
  /** User and machine, such as `alice@laptop`. */
  readonly account: string;
  readonly machine: string;
  /** Where its data are on that machine. */
  readonly folder: string;
  readonly process: number;
}

/** What a source says of the run that captures it, or that captured it last and took nothing back. */
export interface SourceRecord extends Runner {
  readonly since: Date;
  /** Whether it was left on purpose, for a run with `--keep`. */
  readonly kept: boolean;
  /** What was there before the run and bears a name that the capture uses. */
  readonly found: Found;
}

export interface Found {
  /** The role that captures. */
  readonly captureRole?: FoundRole;
  /** Whether the role of applications was there. */
  readonly applicationRole: boolean;
}

/** Writes the record; all or nothing. */
export async function writeRecord(client: Client, runner: Runner, found: Found): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(`
      CREATE SCHEMA ${recordSchema};
      COMMENT ON SCHEMA ${recordSchema} IS
        'npm run local captures this database; the table run says who runs it. If it was killed, npm run local:clean '
        'with --source takes back what it put here.';
      CREATE TABLE ${recordSchema}.run (
        run uuid PRIMARY KEY,
        account text NOT NULL,
        machine text NOT NULL,
        folder text NOT NULL,
        process integer NOT NULL,
        since timestamptz NOT NULL DEFAULT now(),
        kept boolean NOT NULL DEFAULT false,
        found jsonb NOT NULL
      )`);
    const { run, account, machine, folder, process } = runner;
    await client.query(
      `INSERT INTO ${recordSchema}.run (run, account, machine, folder, process, found) VALUES ($1, $2, $3, $4, $5, $6)`,
      [run, account, machine, folder, process, JSON.stringify(found)],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Notes which run has the capture now, and whether it stays on purpose. */
export async function setOwner(client: Client, runner: Runner, kept: boolean): Promise<void> {
  const { run, account, machine, folder, process } = runner;
  await client.query(
    `UPDATE ${recordSchema}.run SET run = $1, account = $2, machine = $3, folder = $4, process = $5, kept = $6`,
    [run, account, machine, folder, process, kept],
  );
}

/** The record; undefined when no run has left one. */
export async function readRecord(client: Client): Promise<SourceRecord | undefined> {
  const { rows: present } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('${recordSchema}.run') IS NOT NULL AS present`,
  );
  if (!present[0]?.present) return undefined;
  const { rows } = await client.query<SourceRecord>(
    `SELECT run, account, machine, folder, process, since, kept, found FROM ${recordSchema}.run`,
  );
  return rows[0];
}

/** Removes the record, once nothing of the run is left. */
export async function removeRecord(client: Client): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS ${recordSchema} CASCADE`);
}

/** A run in words. */
export function describeRun({ account, folder, process, since }: SourceRecord): string {
  return `${account}, folder ${folder}, process ${process}, since ${since.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
