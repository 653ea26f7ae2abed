package io.cdcaudit.actors;

import java.io.PrintWriter;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * A data source, such as a pool, whose connections say who acts: before the first statement of each transaction, and in the
 * same trip as its BEGIN where pgjdbc is the driver. A bare write in autocommit gets a transaction of its own.
 *
 * <p>Connections of another database than PostgreSQL are left as they are.
 */
public final class AnnouncingDataSource implements DataSource {
  private final DataSource target;
  private volatile Boolean isPostgres;

  /** Put it around the outermost pool. */
  public AnnouncingDataSource(DataSource target) {
    this.target = target;
  }

  @Override
  public Connection getConnection() throws SQLException {
    return announcing(target.getConnection());
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    return announcing(target.getConnection(user, password));
  }

  private Connection announcing(Connection connection) throws SQLException {
    if (AnnouncingConnection.is(connection) || !isPostgres(connection)) return connection;
    return AnnouncingConnection.around(connection);
  }

  private boolean isPostgres(Connection connection) throws SQLException {
    if (isPostgres == null) {
      String product = connection.getMetaData().getDatabaseProductName();
      isPostgres = product.equals("PostgreSQL");
      if (!isPostgres) {
        System.getLogger(getClass().getName()).log(Level.WARNING, "A data source of {0} announces nobody: only PostgreSQL can.", product);
      }
    }
    return isPostgres;
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) return type.cast(this);
    return type.isInstance(target) ? type.cast(target) : target.unwrap(type);
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type.isInstance(this) || type.isInstance(target) || target.isWrapperFor(type);
  }

  @Override
  public PrintWriter getLogWriter() throws SQLException {
    return target.getLogWriter();
  }

  @Override
  public void setLogWriter(PrintWriter writer) throws SQLException {
    target.setLogWriter(writer);
  }

  @Override
  public int getLoginTimeout() throws SQLException {
    return target.getLoginTimeout();
  }

  @Override
  public void setLoginTimeout(int seconds) throws SQLException {
    target.setLoginTimeout(seconds);
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    return target.getParentLogger();
  }
}
