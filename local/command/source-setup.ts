import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { postgresPort } from "../../contract/ports";
import type { TableToWatch } from "../../operator/database/watch-tables";
import { localFolder } from "../machine/folders";
import { endLeftProcesses, lastRun } from "../machine/processes-file";
import { AuditedSource, placeOf, SourceInUseError } from "../parts/source";
import { describeRun, type Runner, type SourceRecord } from "../parts/source-record";
import { selectionsOf, type TableChoice } from "../parts/watched";
import { SetupError } from "./options";
import { problemsPage } from "./tables-page";

/** Told what was left by an earlier run, and what became of it. */
export interface Told {
  note(text: string, event: Record<string, unknown>): void;
}

/** This process as a source notes it. */
export function thisRunner(run: string): Runner {
  const machine = hostname();
  return { run, account: `${userInfo().username}@${machine}`, machine, folder: localFolder, process: process.pid };
}

/** Ends what a killed run of this checkout has left running, and says which source it still captures. */
export async function endKilledRun(told: Told, nextSource?: string): Promise<void> {
  const last = lastRun(localFolder);
  if (!last) return;
  if (last.running !== undefined) {
    throw new SetupError(
      `The local pipeline is already running (process ${last.running}). Stop it with Ctrl-C, or: kill ${last.running}`,
    );
  }
  const ended = await endLeftProcesses(localFolder);
  if (ended.length > 0) {
    told.note(`The last run was killed and left ${ended.join(", ")} running: ended.`, { event: "ended", parts: ended });
  }
  if (
    last.source !== undefined &&
    !(nextSource !== undefined && URL.canParse(nextSource) && placeOf(nextSource) === last.source)
  ) {
    told.note(
      `The last run was killed and may have left its capture in ${last.source}. To take it back: ` +
        `npm run local:clean -- --source postgres://user:password@${last.source}`,
      { event: "left", source: last.source },
    );
  }
}

/**
 * Holds the source for this run. What an earlier run has left there is taken back, or with `--keep` gone on with.
 *
 * @throws SetupError when another run has the source, or when it can't be audited.
 */
export async function openSource(
  url: string,
  choice: TableChoice,
  options: { readonly run: string; readonly keep: boolean },
  told: Told,
): Promise<{ source: AuditedSource; tables: readonly TableToWatch[] }> {
  const source = await connectToSource(url, thisRunner(options.run));
  try {
    const { left } = source;
    if (left && !(options.keep && goesOnHere(left))) {
      if (left.kept && !isHere(left)) {
        throw new SetupError(
          `A run has kept its capture in ${source.place} for the next one with --keep: ${describeRun(left)}. Go on with it ` +
            `there, or take it back: npm run local:clean -- --source ${withoutPassword(url)}`,
        );
      }
      await takeBackLeft(source, left, told);
    } else if (left) {
      told.note(`Goes on with the capture that is in ${source.place} since ${left.since.toISOString()}.`, {
        event: "goes-on",
        source: source.place,
        since: left.since,
      });
    }
    const tables = selectionsOf(choice);
    const problems = await source.problems(tables);
    if (problems.length > 0) {
      throw new SetupError(`The source database can't be audited yet:\n${problemsPage(problems)}`);
    }
    return { source, tables };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Takes back what a run has left in the source, and ends what still runs of it on this machine. */
export async function takeBackLeft(source: AuditedSource, left: SourceRecord, told: Told): Promise<void> {
  const { machine } = thisRunner("");
  if (left.machine === machine && lastRun(left.folder)?.run === left.run) {
    const ended = await endLeftProcesses(left.folder);
    if (ended.length > 0)
      told.note(`Ended what it left running: ${ended.join(", ")}.`, { event: "ended", parts: ended });
  }
  const begin = Date.now();
  const stays = await source.takeBack();
  const { run, account, folder, since } = left;
  const what = left.kept ? "kept its capture" : "was killed and left its capture";
  told.note(
    `A local run ${what} in ${source.place}: ${describeRun(left)}. It is taken back, in ${((Date.now() - begin) / 1000).toFixed(1)} s.`,
    { event: "taken-back", source: source.place, left: { run, account, folder, since, process: left.process }, stays },
  );
  for (const text of stays) told.note(text, { event: "stays", text });
}

/** Opens a source, with one clear line about a connection that failed. */
export async function connectToSource(url: string, runner: Runner): Promise<AuditedSource> {
  try {
    return await AuditedSource.open(url, runner);
  } catch (error) {
    throw new SetupError(
      error instanceof SourceInUseError ? error.message : connectionProblem(url, error as NodeJS.ErrnoException),
    );
  }
}

const isHere = ({ machine, folder }: SourceRecord) => machine === hostname() && folder === localFolder;
const goesOnHere = (left: SourceRecord) => isHere(left) && existsSync(join(localFolder, "data/passwords.json"));

/** The URL for a person to complete. */
export function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== "") shown.password = "PASSWORD";
  return shown.toString();
}

/** One clear line for a connection that failed. Never shows the password. */
function connectionProblem(source: string, error: NodeJS.ErrnoException): string {
  let shown = "--source";
  try {
    const url = new URL(source);
    if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") throw new Error("not PostgreSQL");
    shown = `${url.hostname}:${url.port || postgresPort}${url.pathname}`;
  } catch {
    return "--source is not a connection URL. It must look like postgres://user:password@host:5432/database.";
  }
  switch (error.code) {
    case "28P01":
    case "28000":
      return `${shown} refused the user or the password in --source (${error.message}). Check both; special characters in a URL must be percent-encoded.`;
    case "3D000":
      return `${shown}: ${error.message}. Name an existing database in --source.`;
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
      return `${shown} can't be reached (${error.code}). Check host and port in --source, and that the server listens there.`;
    default:
      return `${shown} can't be used: ${error.message}.`;
  }
}
