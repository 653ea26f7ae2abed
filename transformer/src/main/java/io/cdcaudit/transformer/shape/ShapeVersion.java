package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.Timestamp;

/**
 * A table's shape from one point of the source's history onward.
 *
 * @param since the change that brought it; null if a full load read the signal, which then is older
 *     than any change
 * @param capturedAt when DMS built the signal's record
 * @param columns the shape's columns, prepared for reading rows
 */
public record ShapeVersion(
    Commit since, Timestamp capturedAt, TableShape shape, Columns columns) {

  public static ShapeVersion of(Commit since, Timestamp capturedAt, TableShape shape) {
    return new ShapeVersion(since, capturedAt, shape, Columns.of(shape));
  }

  /**
   * Whether the version is in force for a record. Within one transaction the sequence decides,
   * otherwise time.
   */
  boolean isNotLaterThan(ChangeRecord record) {
    if (since == null) {
      return true;
    }
    return record.commit() == null
        ? since.time().compareTo(record.capturedAt()) <= 0
        : compare(since, record.commit()) <= 0;
  }

  boolean isNotLaterThan(ShapeVersion other) {
    return since == null || (other.since != null && compare(since, other.since) <= 0);
  }

  /** Whether both come from the same signal, or both from full loads. */
  boolean isSinceSameChange(ShapeVersion other) {
    return since == null || other.since == null
        ? since == other.since
        : since.transactionId() == other.since.transactionId() && compare(since, other.since) == 0;
  }

  private static int compare(Commit one, Commit other) {
    int order = one.time().compareTo(other.time());
    return order == 0 && one.transactionId() == other.transactionId()
        ? Integer.compare(one.sequence(), other.sequence())
        : order;
  }
}
