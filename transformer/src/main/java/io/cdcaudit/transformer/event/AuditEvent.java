package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.record.Timestamp;
import java.util.UUID;

/**
 * One row of the audit log.
 *
 * @param id the same for the same change, however often it comes
 * @param table the table as people know it: of a partition's row, the partitioned table
 * @param partition the partition that the row stood in, as SQL reads it; null if it stood in the table
 * @param commit null for a baseline
 * @param streamOrder its place among all events of its source
 * @param capturedAt when DMS built the change record
 * @param images what the row was and is; {@link RowImages#NONE} for events that are not about a row
 * @param context who, why or how; {@link Context#NONE} for changes of rows
 */
public record AuditEvent(
    UUID id,
    AuditOperation operation,
    TableName table,
    String partition,
    Commit commit,
    long streamOrder,
    Timestamp capturedAt,
    RowImages images,
    Context context) {

  public Timestamp committedAt() {
    return commit == null ? capturedAt : commit.time();
  }
}
