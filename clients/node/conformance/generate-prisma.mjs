import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// Generates the client of schema.prisma, unless that has been done with this version.
const here = import.meta.dirname;
const require = createRequire(import.meta.url);
const { version } = require("prisma/package.json");
const schema = join(here, "schema.prisma");
const made = `${version}\n${readFileSync(schema, "utf8")}`;
const note = join(here, "dist/prisma/made-of");
if (!existsSync(note) || readFileSync(note, "utf8") !== made) {
  const { status } = spawnSync(
    process.execPath,
    [require.resolve("prisma/build/index.js"), "generate", "--schema", schema],
    {
      stdio: "inherit",
      // Generating needs no engine. The name of any program keeps it from being downloaded.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath },
    },
  );
  if (status !== 0) process.exit(1);
  writeFileSync(note, made);
}
