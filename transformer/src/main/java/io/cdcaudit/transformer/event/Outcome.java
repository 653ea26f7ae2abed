package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.shape.ShapeVersion;

/** What becomes of one record. */
public sealed interface Outcome {

  /** It becomes an audit event. */
  record Audited(AuditEvent event) implements Outcome {}

  /**
   * It declares a table's shape. {@code event} is null if the declaration does not belong in the
   * log.
   */
  record ShapeDeclared(TableName table, ShapeVersion version, AuditEvent event)
      implements Outcome {}

  /** It has no place in the log. */
  record Ignored(IgnoredKind kind, TableName table) implements Outcome {}

  /** It can't be read. */
  record Refused(DeadLetterReason reason, String message) implements Outcome {}
}
