package io.cdcaudit.transformer.record;

/**
 * A record that can't become an audit event. Carries no stack trace: it says something about the
 * data alone.
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
