package io.cdcaudit.transformer.record;

/**
 * A record that can't become an audit event. It has no stack trace, because it only says something
 * about the data.
 */
public final class RefusedRecordException extends RuntimeException {

  private final DeadLetterReason reason;

  /**
   * @param message what is wrong, without any value of the row: it is logged and put into a header
   */
  public RefusedRecordException(DeadLetterReason reason, String message) {
    super(message, null, false, false);
    this.reason = reason;
  }

  public DeadLetterReason reason() {
    return reason;
  }
}
