package io.cdcaudit.actors;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** What pgjdbc alone can tell. Only this class names its types, so an application without it never loads them. */
final class Pgjdbc {
  private static final boolean IS_HERE = isHere();

  private Pgjdbc() {}

  private static boolean isHere() {
    try {
      Class.forName("org.postgresql.core.BaseConnection", false, Pgjdbc.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError missing) {
      return false;
    }
  }

  /** Whether pgjdbc is beneath a connection. */
  static boolean knows(Connection connection) throws SQLException {
    return IS_HERE && connection.isWrapperFor(BaseConnection.class);
  }

  /** Whether the server's last answer spoke of an open transaction. */
  static boolean isInTransaction(Connection connection) throws SQLException {
    return connection.unwrap(BaseConnection.class).getTransactionState() != TransactionState.IDLE;
  }

  /** The types of a wrapper: without a pool, applications cast to those of the driver. */
  static Class<?>[] typesOf(Class<?> standard, Object target) {
    if (IS_HERE && target instanceof PGConnection) return new Class<?>[] {standard, PGConnection.class};
    if (IS_HERE && target instanceof PGStatement) return new Class<?>[] {standard, PGStatement.class};
    return new Class<?>[] {standard};
  }
}
