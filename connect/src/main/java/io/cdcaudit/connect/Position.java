package io.cdcaudit.connect;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The place of an event in the topic that it was read from, even if a transform renamed the topic.
 */
record Position(TopicPartition partition, long offset) {
  static Position of(SinkRecord event) {
    return new Position(
        new TopicPartition(event.originalTopic(), event.originalKafkaPartition()),
        event.originalKafkaOffset());
  }

  @Override
  public String toString() {
    return partition + " offset " + offset;
  }
}
