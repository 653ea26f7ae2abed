package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.order.StreamOrder;
import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.IncomingRecord;
import io.cdcaudit.transformer.record.IncomingRecordReader;
import io.cdcaudit.transformer.record.RefusedRecordException;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.shape.ShapeVersion;

/**
 * Decides the outcome of each record. It reads the shape histories and changes nothing, so the same
 * record may be transformed again. For one thread: its parts reuse their buffers.
 */
public final class Transformation {

  private final IncomingRecordReader reader = new IncomingRecordReader();
  private final EventIdentity identity;
  private final RowImageWriter rows;
  private final SignalEvents signals;
  private final ShapeHistories histories;

  /**
   * @param sourceId part of every event's identity
   * @param lobLimit bytes at which DMS cuts a LOB
   */
  public Transformation(String sourceId, int lobLimit, ShapeHistories histories) {
    this.identity = new EventIdentity(sourceId);
    this.rows = new RowImageWriter(lobLimit);
    this.signals = new SignalEvents(identity, histories);
    this.histories = histories;
  }

  /**
   * @param value a record's value, which may be anything
   */
  public Outcome apply(byte[] value, Origin origin) {
    try {
      IncomingRecord incoming = reader.read(value);
      if (incoming instanceof IncomingRecord.Control) {
        return new Outcome.Ignored(IgnoredKind.CONTROL, null);
      }
      if (incoming instanceof IncomingRecord.OfIgnoredTable ofIgnoredTable) {
        return new Outcome.Ignored(IgnoredKind.IGNORED_TABLE, ofIgnoredTable.table());
      }
      ChangeRecord record = (ChangeRecord) incoming;
      long order = StreamOrder.of(record, origin.streamOrder());
      return record.table().equals(SignalEvents.TABLE)
          ? signals.of(record, order)
          : rowChange(record, order, origin);
    } catch (RefusedRecordException refused) {
      return new Outcome.Refused(refused.reason(), refused.getMessage());
    }
  }

  private Outcome rowChange(ChangeRecord record, long order, Origin origin) {
    ShapeVersion version = histories.historyOf(record.table()).versionFor(record, order);
    if (version == null) {
      throw new RefusedRecordException(
          DeadLetterReason.UNDESCRIBED_TABLE,
          "no catalog signal has described "
              + record.table()
              + " yet, so nobody can tell which of its columns to redact; capture.watch describes"
              + " it, and the record then comes again by itself");
    }
    RowImages images = rows.images(record, version.columns());
    if (images == null) {
      return new Outcome.Ignored(IgnoredKind.IGNORED_COLUMNS_ONLY, record.table());
    }
    TableName root = version.shape().root();
    return new Outcome.Audited(
        new AuditEvent(
            record.commit() == null
                ? identity.ofBaseline(record, origin)
                : identity.ofChange(record.commit(), record.table()),
            operation(record),
            root == null ? record.table() : root,
            root == null ? null : record.table().inSql(),
            record.commit(),
            order,
            record.capturedAt(),
            images,
            Context.NONE));
  }

  private static AuditOperation operation(ChangeRecord record) {
    return switch (record.operation()) {
      case LOAD -> AuditOperation.BASELINE;
      case INSERT -> AuditOperation.INSERT;
      case UPDATE -> AuditOperation.UPDATE;
      case DELETE -> AuditOperation.DELETE;
    };
  }
}
