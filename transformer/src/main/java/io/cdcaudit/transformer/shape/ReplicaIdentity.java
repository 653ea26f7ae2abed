package io.cdcaudit.transformer.shape;

/** How much of an old row PostgreSQL logs. */
public enum ReplicaIdentity {
  FULL,
  DEFAULT,
  INDEX,
  NOTHING
}
