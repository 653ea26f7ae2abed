package io.cdcaudit.transformer.catalog;

/** How much of an old row PostgreSQL logs. */
public enum ReplicaIdentity {
  FULL,
  DEFAULT,
  INDEX,
  NOTHING
}
