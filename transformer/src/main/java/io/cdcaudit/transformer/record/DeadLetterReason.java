package io.cdcaudit.transformer.record;

import io.cdcaudit.transformer.contract.DeadLetterContract;

/** Why a record was refused: one constant for each reason of {@code contract/dead-letters.json}. */
public enum DeadLetterReason {
  NOT_JSON,
  NOT_A_CHANGE_RECORD,
  MISSING_METADATA,
  MISSING_TRANSACTION_DETAILS,
  INVALID_TIMESTAMP,
  UNKNOWN_OPERATION,
  INVALID_SIGNAL,
  UNDESCRIBED_TABLE,
  TOO_LARGE,
  INTERNAL_ERROR;

  private final String code = DeadLetterContract.reason(this);

  public String code() {
    return code;
  }
}
