package io.cdcaudit.connect;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;

/** Where an event stands in its topic, whatever a transform has made of the record since. */
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
