import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { TableSelection } from "../../contract/change-capture";
import { captureSchema } from "../../contract/change-capture";
import { databaseRoles } from "../../contract/database-roles";
import { checkSource, uninstallSource } from "../../operator/database/bootstrap";
import { withClient } from "../servers/database-client";
import { standInSession } from "../dms-stand-in/replication-stream";
import { slotName } from "./capture";
import { findRole, restoreRole, usesOfRole } from "./found-role";
import { SourceHeldError, SourceHold } from "./source-hold";
import {
  describeRun,
  readRecord,
  recordSchema,
  removeRecord,
  type Runner,
  setOwner,
  type SourceRecord,
  writeRecord,
} from "./source-record";

/** The slot of a run, and the one that it has while it loads the rows that are there already. */
const slots = [slotName, `${slotName}_load`];
const slotAttempts = 100;
/** Attempts, 100 ms each, after which a stand-in that is still there is ended. */
const patientAttempts = 10;

/** A database that is captured in place of the sample. */
export interface CapturedSource {
  readonly url: string;
  /** Server and database, without user and password. */
  readonly place: string;
  /** Called before anything is put there. */
  begin(): Promise<void>;
  /**
   * Takes back what this run has put there, or keeps it for a run with `--keep`. Returns what has to stay, each with the
   * reason.
   */
  leave(keep: boolean): Promise<string[]>;
}

/** One that is thrown away with all that is in it: nothing is noted there, and nothing taken back. */
export function throwAwaySource(url: string): CapturedSource {
  return { url, place: placeOf(url), begin: async () => undefined, leave: async () => [] };
}

/** Server and database of a connection URL. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/**
 * A database of the user's own, held by this process alone among all local runs. What a run puts there is noted there first,
 * so that any later run, of any checkout and machine, knows what to take back.
 */
export class AuditedSource implements CapturedSource {
  /** Whether this run may have put something there. */
  private touched = false;

  private constructor(
    readonly url: string,
    private readonly runner: Runner,
    private readonly hold: SourceHold,
    /** What an earlier run has left there. */
    readonly left: SourceRecord | undefined,
  ) {}

  get place(): string {
    return placeOf(this.url);
  }

  /**
   * Connects and holds the source until {@link close}.
   *
   * @throws SourceInUseError when another run has it.
   */
  static async open(url: string, runner: Runner): Promise<AuditedSource> {
    try {
      const hold = await SourceHold.take(url);
      const left = await withClient({ connectionString: url }, readRecord).catch(async (error: unknown) => {
        await hold.release();
        throw error;
      });
      return new AuditedSource(url, runner, hold, left);
    } catch (error) {
      if (!(error instanceof SourceHeldError)) throw error;
      const record = await withClient({ connectionString: url }, readRecord).catch(() => undefined);
      throw new SourceInUseError(record, error.backend);
    }
  }

  /** Everything that keeps the source from being captured, each with its fix; empty when it is ready. */
  async problems(tables: readonly TableSelection[]): Promise<string[]> {
    return withClient({ connectionString: this.url }, async (client) => [
      ...((await readRecord(client)) ? [] : await foreignNames(client)),
      ...(await checkSource(client, { tables })).map((problem) => `${problem.what}. ${problem.why}. ${problem.fix}.`),
    ]);
  }

  /** Notes this run in the source, before it puts anything else there. */
  async begin(): Promise<void> {
    this.touched = true;
    await withClient({ connectionString: this.url }, async (client) => {
      if (await readRecord(client)) return setOwner(client, this.runner, false);
      const captureRole = await findRole(client);
      const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [databaseRoles.application]);
      await writeRecord(client, this.runner, {
        ...(captureRole ? { captureRole } : {}),
        applicationRole: rowCount === 1,
      });
    });
  }

  async leave(keep: boolean): Promise<string[]> {
    if (!this.touched) return [];
    if (!keep) return this.takeBack();
    await withClient({ connectionString: this.url }, (client) => setOwner(client, this.runner, true));
    return [];
  }

  /** Takes back what any run has left there. Returns what has to stay, each with the reason. */
  async takeBack(): Promise<string[]> {
    return withClient({ connectionString: this.url, connectionTimeoutMillis: 10_000 }, takeBack);
  }

  async close(): Promise<void> {
    await this.hold.release();
  }
}

/** Another run has the source at this moment. */
export class SourceInUseError extends Error {
  constructor(record: SourceRecord | undefined, backend: number | undefined) {
    const end =
      backend === undefined ? "" : ` If it hangs, end its hold in the source: SELECT pg_terminate_backend(${backend})`;
    super(
      record
        ? `A local run captures the source now: ${describeRun(record)}. Stop it there with Ctrl-C.${end}`
        : `A local run is about to capture the source, or to leave it. Try again in a moment.${end}`,
    );
  }
}

async function takeBack(client: Client): Promise<string[]> {
  const record = await readRecord(client);
  if (!record) return [];
  const { captureRole, applicationRole } = record.found;
  await dropSlots(client);
  const keepRoles = [
    ...(captureRole ? [databaseRoles.capture] : []),
    ...(applicationRole ? [databaseRoles.application] : []),
  ];
  const { warnings } = await uninstallSource(client, { keepRoles });
  if (captureRole) await restoreRole(client, captureRole);
  await removeRecord(client);
  return [
    // Slots are others'.
    ...warnings.filter((warning) => !warning.startsWith("Replication slot ")),
    ...(await stayingRoles(client, keepRoles)),
  ];
}

/** Drops the slots of a run, once no stand-in reads or makes one. */
async function dropSlots(client: Client): Promise<void> {
  await endStandIn(client);
  await client.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
     WHERE slot_name = ANY ($1) AND database = current_database() AND plugin = 'test_decoding'`,
    [slots],
  );
}

/**
 * Waits until the server has noticed that the stand-in is gone. One that goes on after its run was killed, perhaps on another
 * machine, is ended: it would connect again, unless its role may no longer log in.
 */
async function endStandIn(client: Client): Promise<void> {
  const sessions = `FROM pg_stat_activity
    WHERE usename = '${databaseRoles.capture}' AND datname = current_database() AND application_name = '${standInSession}'`;
  for (let attempt = 1; attempt <= slotAttempts; attempt += 1) {
    const { rowCount } = await client.query(`SELECT ${sessions}`);
    if (!rowCount) return;
    if (attempt % patientAttempts === 0) {
      await client.query(`ALTER ROLE ${databaseRoles.capture} NOLOGIN`);
      await client.query(`SELECT pg_terminate_backend(pid) ${sessions}`);
    }
    await sleep(100);
  }
  throw new Error(
    `Sessions of ${databaseRoles.capture} still read the slot ${slotName}. End them: SELECT pg_terminate_backend(pid) ${sessions}`,
  );
}

/** Roles that the run made and that something else depends on by now. */
async function stayingRoles(client: Client, foundRoles: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1)",
    [[databaseRoles.capture, databaseRoles.application].filter((name) => !foundRoles.includes(name))],
  );
  return rows.map(({ name }) => `Role ${name} stays: something outside the capture depends on it by now.`);
}

/** Objects under names that a run uses, though no run has noted them: a run would change them and remove them at its end. */
async function foreignNames(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ what: string; fix: string }>(
    `SELECT format('Schema %s exists already', nspname) AS what,
       CASE WHEN nspname = '${captureSchema.schema}'
         THEN 'A deployed pipeline may use it: audit a copy of the database. If nothing uses it: DROP SCHEMA ${captureSchema.schema}, ${captureSchema.heartbeatSchema} CASCADE'
         ELSE format('Rename or drop it if nothing uses it: DROP SCHEMA %I CASCADE', nspname) END AS fix
     FROM pg_namespace WHERE nspname IN ('${captureSchema.schema}', '${captureSchema.heartbeatSchema}', '${recordSchema}')
     UNION ALL
     SELECT format('Event trigger %s exists already', evtname), format('Rename or drop it: DROP EVENT TRIGGER %I', evtname)
     FROM pg_event_trigger JOIN pg_proc ON pg_proc.oid = evtfoid
     WHERE evtname IN ('capture_ddl', 'capture_drop', 'capture_rewrite')
       AND pronamespace IS DISTINCT FROM to_regnamespace('${captureSchema.schema}')
     UNION ALL
     SELECT format('Trigger %s of %s exists already', tgname, tgrelid::regclass),
       format('Rename it: ALTER TRIGGER %I ON %s RENAME TO …', tgname, tgrelid::regclass)
     FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
     WHERE tgname IN ('capture_truncate', 'capture_actor') AND tgparentid = 0
       AND pronamespace IS DISTINCT FROM to_regnamespace('${captureSchema.schema}')
     UNION ALL
     SELECT format('Replication slot %s exists already, in database %s', slot_name, coalesce(database, '(none)')),
       format('If another local run uses it, stop that one first. If nobody reads it: SELECT pg_drop_replication_slot(%L)', slot_name)
     FROM pg_replication_slots WHERE slot_name = ANY ($1)`,
    [slots],
  );
  const uses = await usesOfRole(client);
  const { capture } = databaseRoles;
  return [
    ...rows.map(
      ({ what, fix }) =>
        `${what}, and no local run has noted that it made it. A run would change and remove it. ${fix}.`,
    ),
    ...(uses.length === 0
      ? []
      : [
          `Role ${capture} is in use by ${uses.join(", ")} of this server. A run would give it another password, so what uses it ` +
            `there would stop. Audit a copy of the database on another server. If nothing uses it there, run in that database: ` +
            `DROP OWNED BY ${capture}; DROP ROLE ${capture}.`,
        ]),
  ];
}
