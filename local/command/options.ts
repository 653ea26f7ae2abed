import { Command, InvalidArgumentError } from "commander";
import { actorSourceForms, actorSourcePattern } from "../../contract/actor-sources";
import { selects, type TableSelection } from "../../contract/change-capture";
import type { TableChoice } from "../parts/watched";

export interface Options {
  readonly once?: boolean;
  readonly source?: string;
  readonly tables: readonly string[];
  readonly identifyActor?: boolean;
  readonly actorSources?: readonly string[];
  readonly keep?: boolean;
  readonly fullLoad?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** A problem that the user can fix: shown as one message, without a stack. */
export class SetupError extends Error {}

/** Reads the command line; ends the process with a message when it is not usable. */
export function readOptions(): Options {
  const command = new Command("npm run local --")
    .description(
      "The whole audit pipeline on this machine: PostgreSQL, Kafka, Kafka Connect, the transformer, and a stand-in for DMS.",
    )
    .option("--once", "show the sample's changes, check that all of them are in the log, and stop (exit code 0 or 1)")
    .option(
      "--source <url>",
      "audit a PostgreSQL database of your own, e.g. postgres://user:password@host:5432/database",
    )
    .option(
      "--tables <list>",
      "with --source: tables to audit, separated by commas: names, patterns such as public.%, and with a ! what to leave " +
        "out of them, e.g. 'public.%,app.order_%,!public.tmp_%'; may be given several times (default: public.%)",
      (list: string, earlier: readonly string[]) => [...earlier, list],
      [],
    )
    .option(
      "--identify-actor",
      "with --source: put a trigger on each audited table that writes down who acts, where the application announces it",
    )
    .option(
      "--actor-sources <list>",
      "where that trigger finds names that others set, separated by commas, e.g. 'app.user_id,request.jwt.claims ->> email'; " +
        "'' for none; may be given several times (default: those of docs/actors.md)",
      parseActorSources,
    )
    .option("--full-load", "also record the rows that already exist, as baselines")
    .option("--keep", "keep the data when stopping, and start from those of the last run")
    .option("--json", "print one JSON object per line instead of text")
    .option("--verbose", "also show the logs of all parts")
    .showHelpAfterError("(npm run local -- --help lists the options)");
  const options = command.parse().opts<Options>();
  if (options.once && options.source) command.error("error: --once runs the sample, so it can't go with --source");
  if (options.identifyActor && !options.source)
    command.error(
      "error: --identify-actor puts triggers on tables of a --source; those of the sample have them already",
    );
  if (options.actorSources && options.source && !options.identifyActor)
    command.error("error: --actor-sources is for the trigger of --identify-actor: give both");
  if (options.tables.length > 0 && !options.source)
    command.error("error: --tables chooses tables of a --source, and there is none");
  return options;
}

/** The sources that `--actor-sources` names, after those of an earlier one. */
function parseActorSources(list: string, earlier: readonly string[] = []): readonly string[] {
  const sources = list === "" ? [] : list.split(",").map((source) => source.trim());
  const fault = sources.find((source) => !actorSourcePattern.test(source));
  if (fault !== undefined) {
    throw new InvalidArgumentError(
      `It has ${JSON.stringify(fault)}; each entry must be ${actorSourceForms}. Separate entries with commas.`,
    );
  }
  return [...new Set([...earlier, ...sources])];
}

/** The tables that `--tables` names, and those that it leaves out. */
export function parseTables(lists: readonly string[]): TableChoice {
  const items = (lists.length > 0 ? lists : ["public.%"]).flatMap((list) => list.split(",")).map((item) => item.trim());
  const chosen = items.map((item) => ({ excluded: item.startsWith("!"), selection: parseTable(item) }));
  const include = chosen.filter(({ excluded }) => !excluded).map(({ selection }) => selection);
  if (include.length === 0) {
    throw new SetupError(
      `--tables is ${JSON.stringify(items.join(","))}; name what to audit as well, such as public.%.`,
    );
  }
  const exclude = chosen.filter(({ excluded }) => excluded).map(({ selection }) => selection);
  if (include.every((selection) => exclude.some((exclusion) => selects(exclusion, selection)))) {
    throw new SetupError(
      `--tables is ${JSON.stringify(items.join(","))}, which leaves no table: its exclusions cover all that its other ` +
        "entries name. Narrow an exclusion.",
    );
  }
  return { include, exclude };
}

function parseTable(item: string): TableSelection {
  const [schema, table, ...rest] = item.replace(/^!/, "").split(".");
  if (!schema || !table || rest.length > 0 || schema.includes("%")) {
    throw new SetupError(
      `--tables has ${JSON.stringify(item)}; each entry must be schema.table, where the table may hold %, or the same after a ` +
        "! to leave it out. Separate entries with commas.",
    );
  }
  return { schema, table };
}
