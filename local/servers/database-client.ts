import { Client } from "pg";
import { pinSession } from "../../contract/session-settings";

/** Connects, runs, and always closes the connection. Values come in the forms that we read, whatever the database is set to. */
export async function withClient<T>(
  connection: ConstructorParameters<typeof Client>[0],
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(connection);
  // When a server goes away, the caller's next query fails; the event itself must not end the program.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(pinSession());
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A `postgres://` URL for a person to paste. */
export function connectionUrl(connection: {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}): string {
  const { host, port, user, password, database } = connection;
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}
