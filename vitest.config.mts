import { defineConfig } from "vitest/config";

// Each project is a folder of `tests/`. Files that start servers run two at a time, whatever the machine, and those that
// start whole pipelines one at a time.
export default defineConfig({
  test: {
    maxWorkers: "100%",
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"] } },
      { test: { name: "components", include: ["tests/components/**/*.test.ts"], testTimeout: 30_000 } },
      {
        test: {
          name: "graph",
          include: ["tests/graph/**/*.test.ts"],
          globalSetup: "tests/graph/record.ts",
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "package",
          include: ["tests/package/**/*.test.ts"],
          globalSetup: "tests/package/record.ts",
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "documents",
          include: ["tests/documents/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "database",
          include: ["tests/database/**/*.test.ts"],
          globalSetup: "tests/database/build.ts",
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "end-to-end",
          include: ["tests/end-to-end/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
