package io.cdcaudit.transformer.event;

/** Where a record stands in Kafka. */
public record Origin(String topic, int partition, long offset) {

  @Override
  public String toString() {
    return topic + ":" + partition + ":" + offset;
  }
}
