import { withClient } from "../servers/database-client";
import type { superuserConnection } from "../servers/postgres";

/** The sample application's user and database; a throw-away database on loopback needs no secret. */
export const sampleUser = { user: "shop", password: "shop", database: "shop" } as const;

/** Creates the sample's user and database unless they are there. Takes a connection of the superuser. */
export async function createSampleDatabase(superuser: ReturnType<typeof superuserConnection>): Promise<void> {
  await withClient(superuser, async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [sampleUser.database]);
    if (rowCount) return;
    await client.query(`CREATE ROLE ${sampleUser.user} LOGIN PASSWORD '${sampleUser.password}'`);
    await client.query(`CREATE DATABASE ${sampleUser.database} OWNER ${sampleUser.user}`);
  });
}
