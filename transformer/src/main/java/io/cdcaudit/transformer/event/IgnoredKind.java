package io.cdcaudit.transformer.event;

/**
 * Why a record makes no event although nothing is wrong with it; the codes are those of the
 * metrics.
 */
public enum IgnoredKind {
  /** DMS on its own doings. */
  CONTROL("control"),
  /** A table that is no part of the audited data. */
  IGNORED_TABLE("ignored-table"),
  /** An update of columns that the catalog says to ignore. */
  IGNORED_COLUMNS_ONLY("ignored-columns-only"),
  /** A catalog signal that is not about a change of the table. */
  CATALOG("catalog"),
  /** A signal that a full load read: it spoke of a transaction of the past. */
  LOADED_SIGNAL("loaded-signal");

  private final String code;

  IgnoredKind(String code) {
    this.code = code;
  }

  public String code() {
    return code;
  }
}
