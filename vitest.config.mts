import { defineConfig } from "vitest/config";

/** What a test needs is the suffix of its file, `NAME.KIND.test.ts`; what needs nothing has none, and is of kind unit. */
const kinds = ["mocked", "graph", "package", "database", "clients", "browser", "pipeline"] as const;

const filesOf = (kind: (typeof kinds)[number]) => `tests/**/*.${kind}.test.ts`;

/** Tests run Java programs for seconds: most of that time would go into optimising code that has hardly begun to run. */
const briefJava = [process.env.JAVA_TOOL_OPTIONS, "-XX:TieredStopAtLevel=1"].filter(Boolean).join(" ");

/** Loading the SDKs takes longer than most files: a worker loads them once. Files that replace modules are of kind mocked. */
const sharedModules = { isolate: false } as const;

export default defineConfig({
  test: {
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/**/*.test.ts"],
          exclude: kinds.map(filesOf),
          ...sharedModules,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Puts others in the place of modules, so no other file may share them.
        test: {
          name: "mocked",
          include: [filesOf("mocked")],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Needs the stacks recorded.
        test: {
          name: "graph",
          include: [filesOf("graph")],
          globalSetup: "tests/setup/record-stacks.ts",
          ...sharedModules,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Needs the components packed.
        test: {
          name: "package",
          include: [filesOf("package")],
          globalSetup: "tests/setup/package.ts",
          ...sharedModules,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Starts servers: two files at a time, whatever the machine.
        test: {
          name: "database",
          include: [filesOf("database")],
          globalSetup: "tests/setup/build.ts",
          env: { JAVA_TOOL_OPTIONS: briefJava },
          ...sharedModules,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // The SQL and what reads it, on the next version of PostgreSQL. `npm run test:postgres18` runs all of them on it.
        test: {
          name: "postgres-18",
          include: [
            "tests/database/**/*.database.test.ts",
            "tests/local/dms-stand-in/change-records.database.test.ts",
            "tests/clients/node/*.database.test.ts",
          ],
          env: { POSTGRES_VERSION: "18" },
          ...sharedModules,
          globalSetup: "tests/setup/build.ts",
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Clients in other languages, each with a server of its own. The first run installs what they need.
        test: {
          name: "clients",
          include: [filesOf("clients")],
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        // The reviewer's page in a real browser, one file at a time: each has a browser and servers of its own.
        test: {
          name: "browser",
          include: [filesOf("browser")],
          expect: { poll: { timeout: 20_000 } },
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Starts whole pipelines, which wait half of the time: two files at a time.
        test: {
          name: "pipeline",
          include: [filesOf("pipeline")],
          globalSetup: "tests/setup/build.ts",
          env: { JAVA_TOOL_OPTIONS: briefJava },
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
