package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.contract.DeadLetterContract;

/**
 * Why a record makes no event although nothing is wrong with it: one constant for each kind of
 * {@code contract/dead-letters.json}. Metrics tell them apart by these codes.
 */
public enum IgnoredKind {
  /** DMS on its own doings. */
  CONTROL,
  /** A table that is no part of the audited data. */
  IGNORED_TABLE,
  /** An update of columns that the catalog says to ignore. */
  IGNORED_COLUMNS_ONLY,
  /** A catalog signal that is not about a change of the table. */
  CATALOG,
  /** A signal that a full load read: it spoke of a transaction of the past. */
  LOADED_SIGNAL;

  private final String code = DeadLetterContract.ignoredKind(this);

  public String code() {
    return code;
  }
}
