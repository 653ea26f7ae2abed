package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.Timestamp;

/**
 * A table's shape from one point of the source's stream onward.
 *
 * @param number the highest number of the signals that say this, which counts them in the order of
 *     their writing; null if earlier versions wrote them all
 * @param order the signal's place in the stream; null in entries of earlier versions, which knew
 *     commit times alone
 * @param since the change that brought it; null if a full load read the signal, which then is of no
 *     transaction
 * @param capturedAt when DMS built the signal's record
 * @param columns the shape's columns, prepared for reading rows
 */
public record ShapeVersion(
    Long number,
    Long order,
    Commit since,
    Timestamp capturedAt,
    TableShape shape,
    Columns columns) {

  public static ShapeVersion of(
      Long number, Long order, Commit since, Timestamp capturedAt, TableShape shape) {
    return new ShapeVersion(number, order, since, capturedAt, shape, Columns.of(shape));
  }

  /**
   * Whether the version is in force for a record. The stream's order decides; where one place is
   * not known, or places are but times, the sequence within one transaction, else time.
   */
  boolean isNotLaterThan(ChangeRecord record, long recordOrder) {
    if (order != null && order != recordOrder) {
      return order < recordOrder && !isSentAgain(record);
    }
    if (since == null) {
      return true;
    }
    return record.commit() == null
        ? since.time().compareTo(record.capturedAt()) <= 0
        : compare(since, record.commit()) <= 0;
  }

  /**
   * Whether DMS sent the record before this version, and once more after it, as it does when it
   * resumes. Its transaction then both began and committed before the signal's. After a clock that
   * was set back it only committed earlier, and after a long transaction it only began earlier. With
   * both, the place of the change itself tells: DDL waits for those who have changed the table.
   */
  private boolean isSentAgain(ChangeRecord record) {
    Commit commit = record.commit();
    return commit != null
        && since != null
        && compare(commit, since) < 0
        && commit.streamPosition().compareTo(since.streamPosition()) < 0
        && !commit.isWrittenAfter(since);
  }

  /**
   * Whether it says that a name ended while the record's transaction was open. Renaming a schema
   * locks no table, so rows may come under the old name after that; they are of the table that was.
   */
  boolean isDropDuring(ChangeRecord record) {
    Commit commit = record.commit();
    return shape.isOfNoTable()
        && commit != null
        && since != null
        && commit.streamPosition().compareTo(since.streamPosition()) < 0;
  }

  boolean isNotLaterThan(ShapeVersion other) {
    if (order != null && other.order != null && !order.equals(other.order)) {
      return order < other.order;
    }
    return since == null || (other.since != null && compare(since, other.since) <= 0);
  }

  /** Whether both come from the same signal, which DMS may send twice, or both from full loads. */
  boolean isSinceSameChange(ShapeVersion other) {
    if (since == null || other.since == null) {
      return since == other.since
          && (order == null || other.order == null || order.equals(other.order));
    }
    return since.transactionId() == other.since.transactionId()
        && compare(since, other.since) == 0;
  }

  /**
   * Whether a full load read it although another signal of the table was written after it. A load
   * reads signals as they lie in their table, which need not be the order of their writing. A signal
   * without a number is of an earlier version, and older than any with one.
   */
  boolean isOutdated(Long newestNumber) {
    return since == null && newestNumber != null && (number == null || number < newestNumber);
  }

  /** This version, said once more by a signal of another number. */
  ShapeVersion repeatedBy(Long anotherNumber) {
    return new ShapeVersion(
        last(number, anotherNumber), order, since, capturedAt, shape, columns);
  }

  /** This or a repetition of it: what was captured last, from the first place where it stood. */
  ShapeVersion or(ShapeVersion repetition) {
    ShapeVersion last =
        capturedAt.compareTo(repetition.capturedAt()) >= 0 ? this : repetition;
    return new ShapeVersion(
        last(number, repetition.number),
        first(order, repetition.order),
        last.since,
        last.capturedAt,
        last.shape,
        last.columns);
  }

  private static Long first(Long one, Long other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return Math.min(one, other);
  }

  /** The greater of two numbers, of which either may be null. */
  static Long last(Long one, Long other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return Math.max(one, other);
  }

  private static int compare(Commit one, Commit other) {
    int order = one.time().compareTo(other.time());
    return order == 0 && one.transactionId() == other.transactionId()
        ? Integer.compare(one.sequence(), other.sequence())
        : order;
  }
}
