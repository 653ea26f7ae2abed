package io.cdcaudit.connect;

import org.apache.kafka.connect.errors.RetriableException;

/**
 * Asks Connect to deliver the same events again. Connect logs it at each attempt, so it has one
 * line and no stack trace.
 */
final class DatabaseAwayException extends RetriableException {
  private static final long serialVersionUID = 1;

  DatabaseAwayException(String reason) {
    super(reason);
  }

  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
