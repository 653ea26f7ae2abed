/** A folder, or a single file, whose imports are checked. */
export interface Folder {
  /** Seen from the repository; a file ends in `.ts`. A folder within a folder counts as the inner one. */
  readonly path: string;
  /** What belongs here, as a phrase. */
  readonly holds: string;
  /** Paths of the table; a folder stands for all that it holds. What it holds itself may always be imported. */
  readonly mayDependOn: readonly string[] | "everything";
}

/**
 * Which folder may depend on which: the one place of these rules. `npm run architecture` checks every import against
 * them, and `npm run docs` writes them into docs/architecture.md.
 */
export const folders: readonly Folder[] = [
  {
    path: "index.ts",
    holds: "one stack: reads settings, composes components, exports outputs",
    mayDependOn: ["config", "components"],
  },
  { path: "config", holds: "typed, checked settings of a stack", mayDependOn: ["components", "contract"] },
  { path: "components", holds: "the reusable components, a package", mayDependOn: ["contract"] },
  { path: "contract", holds: "what crosses a language or a folder: formats, names, limits", mayDependOn: [] },
  {
    path: "review/command.ts",
    holds: "the reviewer's page on a person's own machine, over any log",
    mayDependOn: ["review/server", "review/build.ts"],
  },
  { path: "review/build.ts", holds: "how the page is built for a browser", mayDependOn: [] },
  {
    path: "review/browser.ts",
    holds: "the browser in which the page is tested, pictured and measured",
    mayDependOn: [],
  },
  {
    path: "review/page",
    holds: "what a reviewer sees: views, their parts, what they ask the server",
    mayDependOn: ["review/api.ts", "review/query.ts", "review/query", "review/differences", "review/exact-json.ts"],
  },
  { path: "review/query.ts", holds: "a filter in all its forms", mayDependOn: ["review/query"] },
  {
    path: "review/query",
    holds: "a filter as an address and as words of a search box, times as people write them, completion",
    mayDependOn: ["review/api.ts"],
  },
  {
    path: "review/differences",
    holds: "what lies between two values, deep and with every digit",
    mayDependOn: ["review/exact-json.ts"],
  },
  { path: "review/exact-json.ts", holds: "JSON whose numbers keep their digits", mayDependOn: [] },
  { path: "review/api.ts", holds: "what the page and its server say to each other", mayDependOn: [] },
  {
    path: "review/server",
    holds: "the server of the page: who reads, what is asked of the log, what is answered",
    mayDependOn: ["review/api.ts", "contract"],
  },
  { path: "database", holds: "numbered SQL for source and destination", mayDependOn: [] },
  { path: "review/build-service.ts", holds: "bundles the reviewer's page for its image", mayDependOn: ["contract"] },
  { path: "postgres-limits", holds: "what PostgreSQL can hold, for both Java parts", mayDependOn: [] },
  { path: "transformer", holds: "the Kafka Streams application (Maven)", mayDependOn: ["contract", "postgres-limits"] },
  { path: "connect", holds: "the sink plugin (Maven)", mayDependOn: ["contract", "postgres-limits"] },
  {
    path: "operator/lambda",
    holds: "the Lambda function: entry, requests, TLS connections, bundle",
    mayDependOn: [
      "operator/handlers",
      "operator/aws",
      "operator/context.ts",
      "operator/errors.ts",
      "contract",
      "database",
    ],
  },
  {
    path: "operator/handlers",
    holds: "one handler per request",
    mayDependOn: [
      "operator/database",
      "operator/aws",
      "operator/context.ts",
      "operator/kafka",
      "operator/errors.ts",
      "contract",
    ],
  },
  {
    path: "operator/database",
    holds: "checks, bootstrap and maintenance of the databases",
    mayDependOn: ["operator/errors.ts", "contract", "database"],
  },
  {
    path: "operator/aws",
    holds: "calls to DMS, MSK and Secrets Manager",
    mayDependOn: ["operator/context.ts", "operator/errors.ts", "contract"],
  },
  {
    path: "operator/context.ts",
    holds: "what a handler has around it: time, log, clients",
    mayDependOn: ["operator/kafka", "operator/errors.ts", "contract"],
  },
  {
    path: "operator/kafka",
    holds: "the Kafka administrator: offsets, groups, access rules",
    mayDependOn: ["operator/errors.ts", "contract"],
  },
  { path: "operator/errors.ts", holds: "errors whose fix is known", mayDependOn: ["contract"] },
  {
    path: "local/command",
    holds: "what a person runs: the command, its output, the sample shop",
    mayDependOn: [
      "local/pipeline.ts",
      "local/pipeline-options.ts",
      "local/parts",
      "local/servers",
      "local/dms-stand-in",
      "local/machine",
      "review/differences",
      "review/exact-json.ts",
      "operator",
      "contract",
      "database",
    ],
  },
  {
    path: "local/pipeline.ts",
    holds: "the pipeline on one machine",
    mayDependOn: [
      "local/pipeline-options.ts",
      "local/parts",
      "local/servers",
      "local/dms-stand-in",
      "local/machine",
      "operator",
      "contract",
      "database",
    ],
  },
  {
    path: "local/pipeline-options.ts",
    holds: "what the pipeline is told to run",
    mayDependOn: ["local/parts", "contract"],
  },
  {
    path: "local/parts",
    holds: "the product's parts on one machine",
    mayDependOn: ["local/servers", "local/dms-stand-in", "local/machine", "review", "operator", "contract", "database"],
  },
  {
    path: "local/servers",
    holds: "PostgreSQL, Kafka, Connect, and stand-ins of AWS services",
    mayDependOn: ["local/machine", "operator/kafka", "contract"],
  },
  {
    path: "local/dms-stand-in",
    holds: "a process that reads the WAL and writes what DMS would",
    mayDependOn: ["local/machine", "contract"],
  },
  { path: "local/machine", holds: "programs, builds and folders of this machine", mayDependOn: ["contract"] },
  {
    path: "tools",
    holds: "commands against a running pipeline, here or on AWS",
    mayDependOn: ["local/servers", "local/machine", "operator", "contract"],
  },
  {
    path: "recorder",
    holds: "records a stack's graph without an engine",
    mayDependOn: ["index.ts", "config", "components"],
  },
  {
    path: "scripts",
    holds: "commands that check, document and package the repository",
    mayDependOn: ["recorder", "faults", "config", "components", "local", "operator", "contract", "database", "docs"],
  },
  { path: "clients", holds: "packages that say who acts, by language and framework", mayDependOn: [] },
  {
    path: "clients/conformance",
    holds: "whether such a package gives each change the right name",
    mayDependOn: ["local", "operator", "contract", "database"],
  },
  {
    path: "clients/node/conformance",
    holds: "what the suite asks of the Node package, done with each framework",
    mayDependOn: ["clients", "clients/conformance"],
  },
  { path: "policies", holds: "the CrossGuard policy pack", mayDependOn: [] },
  {
    path: "faults",
    holds: "the fault harness: injection, truth, catalogue",
    mayDependOn: ["local", "operator", "contract"],
  },
  {
    path: "truth",
    holds: "a random workload, and whether the log tells what its tables held",
    mayDependOn: ["faults", "local", "operator", "contract"],
  },
  {
    path: "bench",
    holds: "benchmarks with their peers",
    mayDependOn: ["local", "review", "operator", "clients", "contract"],
  },
  { path: "findings", holds: "scripts that show surprises of outside software", mayDependOn: [] },
  { path: "docs", holds: "documents, and the data that they print", mayDependOn: [] },
  { path: "examples", holds: "small stacks that use the components as a package", mayDependOn: [] },
  { path: "tests", holds: "vitest, in folders named after what they test", mayDependOn: "everything" },
];

const isIn = (file: string, path: string) => file === path || file.startsWith(`${path}/`);

/** The row of the table that a file belongs to: the innermost. Undefined for a file outside them all. */
export function folderOf(file: string): Folder | undefined {
  return folders.filter(({ path }) => isIn(file, path)).sort((a, b) => b.path.length - a.path.length)[0];
}

/** Whether the table lets a folder import from another. */
export function mayImport(from: Folder, to: Folder): boolean {
  if (from.mayDependOn === "everything" || from.path === to.path) return true;
  return from.mayDependOn.some((path) => isIn(to.path, path));
}
