package io.cdcaudit.connect;

import org.apache.kafka.connect.errors.DataException;

/**
 * Says in the dead-letter topic why the database refused a row. It goes to the log as well, so it
 * holds none of the row's data: neither a value nor the database's own exception, which may quote
 * one.
 */
final class RefusedRowException extends DataException {
  private static final long serialVersionUID = 1;

  RefusedRowException(String reason) {
    super("The database refused the row: " + reason);
  }

  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
