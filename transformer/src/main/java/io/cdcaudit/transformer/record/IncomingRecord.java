package io.cdcaudit.transformer.record;

/** A record of the topic of change records. */
public sealed interface IncomingRecord
    permits ChangeRecord, IncomingRecord.Control, IncomingRecord.OfIgnoredTable {

  /**
   * What DMS says about its own work: tables created, columns changed. The catalog says it better.
   */
  record Control() implements IncomingRecord {}

  /**
   * A change in a table that is not audited: one of DMS itself, of the heartbeat or of the audit
   * log.
   */
  record OfIgnoredTable(TableName table) implements IncomingRecord {}
}
