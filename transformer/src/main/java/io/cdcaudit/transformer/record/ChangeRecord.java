package io.cdcaudit.transformer.record;

/**
 * One changed row, as DMS wrote it to the topic of change records.
 *
 * @param capturedAt when DMS built the record
 * @param commit null for a row read by a full load, which belongs to no transaction
 * @param keyValue what DMS partitioned the record by, {@code schema.table.value}, with every digit;
 *     null if the table has no key
 * @param data the new row; for a delete the old one
 * @param beforeImage the old row of an update, as far as the replica identity gives it; null
 *     without one
 */
public record ChangeRecord(
    Operation operation,
    TableName table,
    Timestamp capturedAt,
    Commit commit,
    String keyValue,
    RowImage data,
    RowImage beforeImage)
    implements IncomingRecord {

  /** Whether the table has a key. */
  public boolean keyed() {
    return keyValue != null;
  }
}
