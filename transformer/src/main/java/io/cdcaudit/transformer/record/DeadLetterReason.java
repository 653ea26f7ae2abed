package io.cdcaudit.transformer.record;

/** Why a record was refused; the codes are those of {@code contract/dead-letter.ts}. */
public enum DeadLetterReason {
  NOT_JSON("not-json"),
  NOT_A_CHANGE_RECORD("not-a-change-record"),
  MISSING_METADATA("missing-metadata"),
  MISSING_TRANSACTION_DETAILS("missing-transaction-details"),
  INVALID_TIMESTAMP("invalid-timestamp"),
  UNKNOWN_OPERATION("unknown-operation"),
  INVALID_SIGNAL("invalid-signal"),
  TOO_LARGE("too-large"),
  INTERNAL_ERROR("internal-error");

  private final String code;

  DeadLetterReason(String code) {
    this.code = code;
  }

  public String code() {
    return code;
  }
}
