package io.cdcaudit.actors.conformance;

import com.zaxxer.hikari.HikariDataSource;
import io.cdcaudit.actors.AnnouncingDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/** Plain JDBC over HikariCP. */
final class JdbcClient implements Client {
  private final Workers workers = new Workers();
  private HikariDataSource pool;
  private DataSource announcing;

  @Override
  public String driver() {
    return "pgjdbc " + org.postgresql.util.DriverInfo.DRIVER_VERSION + ", HikariCP";
  }

  @Override
  public Map<String, String> cannot() {
    return Pools.cannot();
  }

  @Override
  public void open(int size) {
    if (pool != null) pool.close();
    pool = Pools.hikari(size);
    announcing = new AnnouncingDataSource(pool);
  }

  @Override
  public void transaction(boolean readOnly, String isolation, Steps steps) throws Exception {
    try (Connection connection = announcing.getConnection()) {
      if (readOnly) connection.setReadOnly(true);
      if (isolation != null) connection.setTransactionIsolation(Pools.isolation(isolation));
      connection.setAutoCommit(false);
      try {
        steps.run(connection);
        connection.commit();
      } catch (Throwable error) {
        connection.rollback();
        throw error;
      }
    }
  }

  @Override
  public void savepoint(Object within, Steps steps) throws Exception {
    Connection connection = (Connection) within;
    Savepoint savepoint = connection.setSavepoint();
    try {
      steps.run(within);
      connection.releaseSavepoint(savepoint);
    } catch (Throwable error) {
      connection.rollback(savepoint);
      throw error;
    }
  }

  @Override
  public void insert(Object within, String id) throws SQLException {
    run(within, "INSERT INTO public.items (id) VALUES (?)", id);
  }

  @Override
  public void update(Object within, String id) throws SQLException {
    run(within, "UPDATE public.items SET note = ? WHERE id = ?", UUID.randomUUID().toString(), id);
  }

  @Override
  public void delete(Object within, String id) throws SQLException {
    run(within, "DELETE FROM public.items WHERE id = ?", id);
  }

  @Override
  public void read(Object within) throws SQLException {
    run(within, "SELECT count(*) FROM public.items");
  }

  private void run(Object within, String text, String... values) throws SQLException {
    if (within == null) {
      try (Connection connection = announcing.getConnection()) {
        run(connection, text, values);
      }
      return;
    }
    try (PreparedStatement statement = ((Connection) within).prepareStatement(text)) {
      for (int place = 0; place < values.length; place++) statement.setString(place + 1, values[place]);
      statement.execute();
    }
  }

  @Override
  public void sql(Object within, String text) throws SQLException {
    if (within == null) {
      try (Connection connection = announcing.getConnection()) {
        sql(connection, text);
      }
      return;
    }
    try (Statement statement = ((Connection) within).createStatement()) {
      statement.execute(text);
    }
  }

  @Override
  public void job(Steps work) throws Exception {
    workers.run(work);
  }

  @Override
  public void close() {
    if (pool != null) pool.close();
    workers.close();
  }
}
