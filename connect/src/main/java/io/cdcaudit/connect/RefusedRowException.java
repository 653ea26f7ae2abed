package io.cdcaudit.connect;

import org.apache.kafka.connect.errors.DataException;

/**
 * Says in the dead-letter topic why an event was refused, by the database or before. It goes to the
 * log as well, so it holds none of the row's data: neither a value nor the database's own
 * exception, which may quote one.
 */
final class RefusedRowException extends DataException {
  private static final long serialVersionUID = 1;

  private RefusedRowException(String reason) {
    super(reason);
  }

  static RefusedRowException byTheDatabase(Failure failure) {
    return new RefusedRowException("The database refused the row: " + failure.reason());
  }

  static RefusedRowException byTheConverter(RefusedEvent event) {
    return new RefusedRowException(event.reason());
  }

  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
