import { InvalidArgumentError, Option } from "commander";
import type { Client } from "pg";
import { postgresOfFolder, programsVariable } from "../../local/servers/postgres-version";
import type { Run } from "../report/results";

/** `--postgres-bin`: every server of this process, and of those that it starts, runs on the PostgreSQL of that folder. */
export function postgresOption(): Option {
  return new Option(
    "--postgres-bin <folder>",
    "run on the PostgreSQL of this machine in this folder, such as /usr/lib/postgresql/17/bin, in place of the npm package's, which lacks lz4",
  )
    .env(programsVariable)
    .argParser((folder: string) => {
      try {
        postgresOfFolder(folder, "--postgres-bin");
      } catch (error) {
        throw new InvalidArgumentError((error as Error).message);
      }
      process.env[programsVariable] = folder;
      return folder;
    });
}

/** What a running server says of itself. */
export async function describeServer(client: Client): Promise<NonNullable<Run["machine"]["postgres"]>> {
  const { rows } = await client.query<{ version: string; lz4: boolean }>(
    `SELECT current_setting('server_version') AS version, 'lz4' = ANY (enumvals) AS lz4
     FROM pg_settings WHERE name = 'default_toast_compression'`,
  );
  return rows[0] as { version: string; lz4: boolean };
}
