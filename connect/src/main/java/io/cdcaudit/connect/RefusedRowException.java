package io.cdcaudit.connect;

import org.apache.kafka.connect.errors.DataException;

/**
 * Says in the dead-letter topic why an event was refused, by the database or by the converter. It
 * is logged too, so it holds no value of the row. It also does not hold the database's own
 * exception, which may quote a value.
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
