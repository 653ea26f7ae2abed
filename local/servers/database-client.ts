import { Client } from "pg";

/** Connects, runs, and closes the connection whatever happens. */
export async function withClient<T>(
  connection: ConstructorParameters<typeof Client>[0],
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(connection);
  // A server that goes away is the caller's next failing query, not an uncaught event.
  client.on("error", () => undefined);
  await client.connect();
  try {
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
