package io.cdcaudit.transformer.event;

/**
 * Where a record stands in Kafka.
 *
 * @param first where it stood when it came for the first time, as {@code topic:partition:offset}: a
 *     record that was refused and is sent again keeps its identity
 * @param streamOrder its place in the source's stream, by {@link
 *     io.cdcaudit.transformer.order.StreamOrder}; null if only commit times tell it
 */
public record Origin(String topic, int partition, long offset, String first, Long streamOrder) {

  /** Of a record that comes for the first time. */
  public Origin(String topic, int partition, long offset, Long streamOrder) {
    this(topic, partition, offset, topic + ":" + partition + ":" + offset, streamOrder);
  }


  @Override
  public String toString() {
    return topic + ":" + partition + ":" + offset;
  }
}
