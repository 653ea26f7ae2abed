package io.cdcaudit.connect;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The offsets that may be committed, which only the task knows. Connect 3.7 remembers the end of a
 * delivery that failed. When another delivery succeeds after a rebalance, it takes that end for
 * stored.
 */
final class Progress {
  /** The offset after the last event of each open partition that was stored or set aside. */
  private final Map<TopicPartition, Long> ends = new HashMap<>();

  /** Notes that all events of a delivery are stored or set aside. */
  void add(Collection<SinkRecord> delivery) {
    for (SinkRecord event : delivery) {
      Position position = Position.of(event);
      ends.put(position.partition(), position.offset() + 1);
    }
  }

  /** The offsets to commit; a partition of which no event is done has none. */
  Map<TopicPartition, OffsetAndMetadata> committable(Collection<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (TopicPartition partition : partitions) {
      Long end = ends.get(partition);
      if (end != null) {
        offsets.put(partition, new OffsetAndMetadata(end));
      }
    }
    return offsets;
  }

  /** Forgets partitions that this task no longer reads. */
  void forget(Collection<TopicPartition> partitions) {
    ends.keySet().removeAll(partitions);
  }
}
