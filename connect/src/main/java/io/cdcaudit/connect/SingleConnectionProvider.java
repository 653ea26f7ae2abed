package io.cdcaudit.connect;

import java.sql.Connection;
import org.hibernate.HibernateException;
import org.hibernate.engine.jdbc.connections.spi.ConnectionProvider;

/**
 * Gives Hibernate the one connection of a task. Hibernate does not close it; the code that opened
 * it does.
 */
final class SingleConnectionProvider implements ConnectionProvider {
  private static final long serialVersionUID = 1;

  private final transient Connection connection;

  SingleConnectionProvider(Connection connection) {
    this.connection = connection;
  }

  @Override
  public Connection getConnection() {
    return connection;
  }

  @Override
  public void closeConnection(Connection ignored) {
    // The next transaction uses it.
  }

  @Override
  public boolean supportsAggressiveRelease() {
    return false;
  }

  @Override
  public boolean isUnwrappableAs(Class<?> type) {
    return type.isInstance(this);
  }

  @Override
  public <T> T unwrap(Class<T> type) {
    if (!isUnwrappableAs(type)) {
      throw new HibernateException("A single connection is not a " + type.getName());
    }
    return type.cast(this);
  }
}
