package io.cdcaudit.transformer.event;

import java.util.Locale;

/** The values of the column {@code operation}. */
public enum AuditOperation {
  INSERT,
  UPDATE,
  DELETE,
  TRUNCATE,
  BASELINE,
  CONTEXT,
  SCHEMA,
  CANARY,
  LOAD;

  private final String word = name().toLowerCase(Locale.ROOT);

  public String word() {
    return word;
  }
}
