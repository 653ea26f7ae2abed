package io.cdcaudit.actors;

import java.sql.Connection;
import java.sql.SQLException;

/** Whether a connection has an open transaction. pgjdbc knows it; with another driver, the texts that ran tell. */
final class OpenTransaction {
  private final Connection connection;
  private boolean begunByText;

  OpenTransaction(Connection connection) {
    this.connection = connection;
  }

  boolean isOpen() throws SQLException {
    // Asked each time: a driver that fails over puts another connection beneath the same wrapper.
    if (Pgjdbc.knows(connection)) return Pgjdbc.isInTransaction(connection);
    return begunByText || !connection.getAutoCommit();
  }

  /** Takes note of a text that ran. In doubt it is still open: a name that is missing is better than a commit too early. */
  void ran(String text) throws SQLException {
    begunByText = connection.getAutoCommit() && (begunByText || Statements.begins(text)) && !Statements.ends(text);
  }
}
