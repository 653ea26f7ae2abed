package io.cdcaudit.transformer.streams;

import static org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation.LEAVE_GROUP;
import static org.apache.kafka.clients.consumer.CloseOptions.groupMembershipOperation;

import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/**
 * The clients of Kafka Streams, of which a stream thread's consumer commits nothing any more once
 * that thread's producer has failed to deliver a record. The thread then dies, and its successor
 * begins at the last commit.
 *
 * <p>Kafka Streams 4.2 alone keeps one failure for all tasks of a thread, so that a task whose
 * record failed second does not learn of it and commits; and it forgets where a task that starts
 * anew has to begin when the group is rebalanced at the same moment. Both skip records.
 */
class GuardedClients extends DefaultKafkaClientSupplier {

  /** A stream thread sends with one producer and commits with one consumer; both by itself. */
  private final ThreadLocal<Deliveries> deliveries = ThreadLocal.withInitial(Deliveries::new);

  @Override
  public Producer<byte[], byte[]> getProducer(Map<String, Object> settings) {
    return new GuardedProducer(settings);
  }

  @Override
  public Consumer<byte[], byte[]> getConsumer(Map<String, Object> settings) {
    return new GuardedConsumer(settings);
  }

  /** What became of a thread's records. */
  private static final class Deliveries {

    private volatile Exception failure;
  }

  /** Notes what could not be delivered, before Kafka Streams hears of it. */
  class GuardedProducer extends KafkaProducer<byte[], byte[]> {

    GuardedProducer(Map<String, Object> settings) {
      super(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public final Future<RecordMetadata> send(
        ProducerRecord<byte[], byte[]> record, Callback callback) {
      Deliveries mine = deliveries.get();
      return deliver(
          record,
          (metadata, failure) -> {
            if (failure != null) {
              mine.failure = failure;
            }
            callback.onCompletion(metadata, failure);
          });
    }

    Future<RecordMetadata> deliver(ProducerRecord<byte[], byte[]> record, Callback callback) {
      return super.send(record, callback);
    }
  }

  /** Commits as long as everything was delivered. */
  class GuardedConsumer extends KafkaConsumer<byte[], byte[]> {

    GuardedConsumer(Map<String, Object> settings) {
      super(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @Override
    public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets) {
      Exception failure = deliveries.get().failure;
      if (failure != null) {
        throw new KafkaException(
            "Offsets are not committed, since a record before them was not delivered", failure);
      }
      super.commitSync(offsets);
    }

    /** Its successor need not wait until the session of a consumer that gave up times out. */
    @Override
    public void close(CloseOptions options) {
      boolean gaveUp = deliveries.get().failure != null;
      super.close(gaveUp ? groupMembershipOperation(LEAVE_GROUP) : options);
    }
  }
}
