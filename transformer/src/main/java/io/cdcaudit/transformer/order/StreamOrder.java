package io.cdcaudit.transformer.order;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.Timestamp;

/**
 * The place of a record among all records of its source, as a number that grows along the stream.
 *
 * <p>A topic of one partition holds the stream in its order, so the place is the record's offset
 * above the {@link TopicBeginnings beginning} of its topic. Of several partitions only commit times
 * tell an order: there the place is the commit time, and a baseline's the time of its reading, in
 * microseconds since 1970. Both are numbers on one scale, so that a log may hold both.
 */
public final class StreamOrder {

  private StreamOrder() {}

  /**
   * @param stated what the record's offset says; null if offsets say nothing
   */
  public static long of(ChangeRecord record, Long stated) {
    if (stated != null) {
      return stated;
    }
    Timestamp time = record.commit() == null ? record.capturedAt() : record.commit().time();
    return time.epochMicroseconds();
  }
}
