package io.cdcaudit.transformer.record;

/**
 * One changed row, as DMS wrote it to the topic of change records.
 *
 * @param capturedAt when DMS built the record
 * @param commit null for a row read by a full load, which belongs to no transaction
 * @param keyed whether DMS partitioned the record by a key: then the table has one
 * @param data the new row; for a delete the old one
 * @param beforeImage the old row of an update, as far as the replica identity gives it; null
 *     without one
 */
public record ChangeRecord(
    Operation operation,
    TableName table,
    Timestamp capturedAt,
    Commit commit,
    boolean keyed,
    RowImage data,
    RowImage beforeImage)
    implements IncomingRecord {}
