package io.cdcaudit.actors.conformance;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.util.Locale;
import java.util.Map;

/** The pool that every client of this folder has, and what PgBouncer takes from all of them. */
final class Pools {
  static final boolean IS_POOLED = System.getenv("ACTORS_POOLER") != null;

  private Pools() {}

  static String url() {
    Map<String, String> environment = System.getenv();
    // PgBouncer in transaction mode knows no prepared statements.
    return "jdbc:postgresql://" + environment.get("PGHOST") + ":" + environment.get("PGPORT") + "/" + environment.get("PGDATABASE")
        + (IS_POOLED ? "?prepareThreshold=0" : "");
  }

  static Map<String, String> cannot() {
    return IS_POOLED
        ? Map.of("isolation", "pgjdbc sets it for the session, which behind PgBouncer is another's")
        : Map.of();
  }

  static HikariDataSource hikari(int size) {
    HikariDataSource pool = new HikariDataSource();
    pool.setJdbcUrl(url());
    pool.setUsername(System.getenv("PGUSER"));
    pool.setPassword(System.getenv("PGPASSWORD"));
    pool.setMaximumPoolSize(size);
    pool.setMinimumIdle(0);
    // Hundreds of requests may wait for one connection.
    pool.setConnectionTimeout(600_000);
    return pool;
  }

  static int isolation(String name) {
    if (name == null) return -1;
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "read committed" -> Connection.TRANSACTION_READ_COMMITTED;
      case "repeatable read" -> Connection.TRANSACTION_REPEATABLE_READ;
      case "serializable" -> Connection.TRANSACTION_SERIALIZABLE;
      default -> throw new IllegalArgumentException("There is no isolation level " + name);
    };
  }
}
