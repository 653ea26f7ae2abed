package io.cdcaudit.actors;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;

/** The PostgreSQL that the tests run on, and a superuser's look at the signals that name their changes. */
public final class Database {
  private Database() {}

  /** The application's connections, without a pool. */
  public static PGSimpleDataSource application() {
    return application(Integer.parseInt(System.getenv("PGPORT")));
  }

  static PGSimpleDataSource application(int port) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setServerNames(new String[] {"127.0.0.1"});
    source.setPortNumbers(new int[] {port});
    source.setDatabaseName(System.getenv("PGDATABASE"));
    source.setUser(System.getenv("PGUSER"));
    source.setPassword(System.getenv("PGPASSWORD"));
    return source;
  }

  /** Empties the tables of the tests and forgets their names. */
  public static void empty() throws SQLException {
    try (Connection connection = superuser(); Statement statement = connection.createStatement()) {
      statement.execute("TRUNCATE public.items, shop.customers, capture.signal");
    }
  }

  /** The names that were signalled since then, in order, with the request where there was one: {@code mia r-1}. */
  public static List<String> names() throws SQLException {
    List<String> names = new ArrayList<>();
    String signals = """
        SELECT concat_ws(' ',
          CASE kind WHEN 'session' THEN body_1 ELSE body_1::jsonb ->> 'actor' END,
          CASE kind WHEN 'session' THEN body_2 ELSE body_1::jsonb ->> 'request_id' END,
          CASE kind WHEN 'context' THEN body_1::jsonb -> 'context' ->> 'reason' END)
        FROM capture.signal WHERE kind IN ('session', 'context') ORDER BY ctid""";
    try (Connection connection = superuser();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(signals)) {
      while (rows.next()) names.add(rows.getString(1));
    }
    return names;
  }

  private static Connection superuser() throws SQLException {
    java.net.URI uri = java.net.URI.create(System.getenv("ADMIN_DATABASE_URL"));
    String[] user = uri.getUserInfo().split(":");
    return DriverManager.getConnection("jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath(), user[0], user[1]);
  }
}
