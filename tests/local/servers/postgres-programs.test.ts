import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { postgresOfFolder } from "../../../local/servers/postgres-version";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder with programs of these names, each of which says this of its version. */
function folderWith(names: readonly string[], version = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-programs-"));
  folders.push(folder);
  for (const name of names) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${version}'\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const all = ["initdb", "postgres", "pg_ctl"];

describe("the PostgreSQL of a folder", () => {
  it("is taken when its version is one of those that the pipeline is made for", () => {
    const folder = folderWith(all, "postgres (PostgreSQL) 16.9 (Debian 16.9-1)");
    expect(postgresOfFolder(folder, "--postgres-bin")).toEqual({
      postgres: join(folder, "postgres"),
      initdb: join(folder, "initdb"),
    });
  });

  it("is refused by the names of the programs that are missing", () => {
    const folder = folderWith(["postgres"]);
    expect(() => postgresOfFolder(folder, "--postgres-bin")).toThrow(
      `--postgres-bin is ${folder}, which has no initdb and no pg_ctl. Name the folder that holds initdb, postgres, pg_ctl`,
    );
  });

  it.each(["14.18", "19beta1"])("is refused when it is %s", (version) => {
    const folder = folderWith(all, `postgres (PostgreSQL) ${version}`);
    expect(() => postgresOfFolder(folder, "POSTGRES_BIN")).toThrow(
      `POSTGRES_BIN is ${folder}, which has postgres (PostgreSQL) ${version}; allowed are PostgreSQL 15, 16, 17, 18.`,
    );
  });

  it("is refused when what runs there names no version", () => {
    expect(() => postgresOfFolder(folderWith(all, "hello"), "POSTGRES_BIN")).toThrow("which has hello; allowed are");
  });
});
