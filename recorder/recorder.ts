import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Invocation, type LogLine, RecordingEngine, type Registration, stackType } from "./engine";
import type { Place } from "./creation";
import { readStackSettings } from "./stack-settings";
import type { ValueMap } from "./values";

export interface RecordOptions {
  /** Folder of Pulumi.yaml. */
  readonly projectFolder: string;
  /** The stack whose file is read. */
  readonly stack: string;
  /** Runs the settings of `stack` under another name. Default: `stack`. */
  readonly stackName?: string;
  /** True (the default is false) records a preview, in which what only AWS knows is unknown. */
  readonly preview?: boolean;
  /** Settings by full key: a text replaces that of the stack file, an object replaces members of an object. */
  readonly config?: Readonly<Record<string, string | object>>;
  /** Keys of `config` that stand for encrypted settings. Default: none beside those of the stack file. */
  readonly secretKeys?: readonly string[];
  /** By full name, the outputs of the stacks that the program refers to. Default: none. */
  readonly otherStacks?: Readonly<Record<string, ValueMap>>;
  /** What AWS answers to provider functions, by token. Default: plausible answers to those that deploying always asks. */
  readonly answers?: Readonly<Record<string, ValueMap>>;
  /** True (the default is false) tells where an error came from, and takes longer. */
  readonly stackTraces?: boolean;
  /** Milliseconds after which the program is stopped. Default 120,000. */
  readonly timeoutMilliseconds?: number;
}

/** Everything that one run of a program told the engine. */
export interface Recording {
  readonly project: string;
  readonly stack: string;
  readonly preview: boolean;
  /** In the order of arrival. */
  readonly registrations: readonly Registration[];
  readonly invocations: readonly Invocation[];
  readonly log: readonly LogLine[];
  readonly stackOutputs: ValueMap;
  /** From the start of the program's process to its end. */
  readonly seconds: number;
}

/** The program ended with an error; the message holds what it said. */
export class ProgramFailed extends Error {
  constructor(
    stack: string,
    readonly lines: readonly string[],
    /** URNs of what it had registered by then; a deployment would have begun to create them. */
    readonly registered: readonly string[],
  ) {
    super([`The program failed for stack ${stack}:`, ...lines].join("\n"));
  }
}

/** Where a recorded stack pretends to live, in AWS's own example account. */
export function placeOf(region: string): Place {
  return { partition: partitionOf(region), region, account: "111122223333" };
}

/**
 * Runs a Pulumi program in Pulumi's own Node runtime against a recording engine, with npm packages alone: no Pulumi
 * CLI, no plugins, no account, no network.
 *
 * @throws ProgramFailed when the program throws, refuses its settings or does not end in time.
 */
export async function recordStack(options: RecordOptions): Promise<Recording> {
  const projectFolder = resolve(options.projectFolder);
  const settings = readStackSettings(projectFolder, options.stack);
  const config = overlay(settings.config, options.config ?? {});
  const stack = options.stackName ?? options.stack;
  const preview = options.preview ?? false;
  const region = config["aws:region"] ?? "eu-central-1";
  const engine = new RecordingEngine({
    project: settings.project,
    stack,
    preview,
    place: placeOf(region),
    otherStacks: options.otherStacks,
    answers: options.answers,
  });
  const address = await engine.start();
  const started = performance.now();
  try {
    const { exitCode, output } = await run(
      [
        ...settings.nodeArguments,
        // The runtime takes a stack trace for each of thousands of promises: without, it needs a quarter less time.
        ...(options.stackTraces ? [] : ["--stack-trace-limit=0"]),
        // Room for what lives until the end spares most of the collections, in MiB.
        "--max-semi-space-size=64",
        require.resolve("@pulumi/pulumi/cmd/run"),
        `--monitor=${address}`,
        `--engine=${address}`,
        "--organization=organization",
        `--project=${settings.project}`,
        `--root-directory=${projectFolder}`,
        `--stack=${stack}`,
        "--parallel=16",
        `--pwd=${projectFolder}`,
        ...(preview ? ["--dry-run"] : []),
        settings.entryPoint,
      ],
      {
        cwd: projectFolder,
        timeout: options.timeoutMilliseconds ?? 120_000,
        environment: {
          ...settings.runtimeEnvironment,
          NO_COLOR: "1",
          // Spares each later run the compilation of the SDKs.
          NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
          PULUMI_CONFIG: JSON.stringify(config),
          PULUMI_CONFIG_SECRET_KEYS: JSON.stringify([...settings.secretKeys, ...(options.secretKeys ?? [])]),
        },
      },
    );
    const errors = engine.log.filter((line) => line.severity === "error").map((line) => line.message);
    if (exitCode !== 0 || errors.length > 0) {
      const lines = errors.length > 0 ? errors : [...output, `exit code ${exitCode ?? "none: stopped"}`];
      throw new ProgramFailed(
        stack,
        lines,
        engine.registrations.map(({ urn }) => urn),
      );
    }
  } finally {
    engine.stop();
  }
  return {
    project: settings.project,
    stack,
    preview,
    registrations: engine.registrations,
    invocations: engine.invocations,
    log: engine.log,
    stackOutputs: engine.registrations.find((registration) => registration.type === stackType)?.outputs ?? {},
    seconds: (performance.now() - started) / 1000,
  };
}

function overlay(config: Readonly<Record<string, string>>, changes: Readonly<Record<string, string | object>>) {
  const result = { ...config };
  for (const [key, change] of Object.entries(changes)) {
    const merged = () => JSON.stringify({ ...(JSON.parse(config[key] ?? "{}") as object), ...(change as object) });
    result[key] = typeof change === "string" ? change : merged();
  }
  return result;
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

interface RunOptions {
  readonly cwd: string;
  readonly timeout: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs node with only the environment that a program may count on: no credentials, no user's Pulumi settings. */
function run(args: readonly string[], options: RunOptions): Promise<{ exitCode: number | null; output: string[] }> {
  const { PATH, HOME, TMPDIR } = process.env;
  const inherited = Object.fromEntries(
    Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value !== undefined),
  );
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd,
      env: { ...inherited, ...options.environment },
      timeout: options.timeout,
      killSignal: "SIGKILL",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => output.push(...text.trimEnd().split("\n")));
    }
    child.on("error", failed);
    child.on("close", (exitCode) => done({ exitCode, output }));
  });
}
