package io.cdcaudit.transformer.record;

/** What stands on the topic of change records. */
public sealed interface IncomingRecord
    permits ChangeRecord, IncomingRecord.Control, IncomingRecord.OfIgnoredTable {

  /** DMS on its own doings: tables created, columns changed. The catalog says it better. */
  record Control() implements IncomingRecord {}

  /**
   * A change in a table that is no part of the audited data: of DMS itself, the heartbeat or the
   * audit log.
   */
  record OfIgnoredTable(TableName table) implements IncomingRecord {}
}
