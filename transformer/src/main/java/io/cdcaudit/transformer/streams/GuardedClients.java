package io.cdcaudit.transformer.streams;

import static org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation.LEAVE_GROUP;
import static org.apache.kafka.clients.consumer.CloseOptions.groupMembershipOperation;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Supplier;
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
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.apache.kafka.streams.processor.internals.StreamThread;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The clients of Kafka Streams, with a guard between a stream thread's producer and its consumer.
 * Once a thread's producer has failed or its commit has timed out, its consumer stops committing.
 * The thread then dies, and its successor begins at the last commit.
 *
 * <p>Kafka Streams 4.2 alone would skip records in two cases. It keeps one failure for all tasks of
 * a thread, so a task whose record failed second does not learn of it and commits. And if the group
 * is rebalanced while a task restarts, it forgets where that task has to begin.
 *
 * <p>Two more things are guarded. Records that retention deleted before they were read are logged
 * as an error. And if a dying thread cannot be replaced, for example without a network, the process
 * ends, instead of seeming healthy and doing nothing.
 */
class GuardedClients extends DefaultKafkaClientSupplier {

  private static final Logger LOG = LoggerFactory.getLogger(GuardedClients.class);

  private final Runnable onNoSuccessor;

  /** Each stream thread has a producer and a consumer that no other thread uses. */
  private final ThreadLocal<Deliveries> deliveries = ThreadLocal.withInitial(Deliveries::new);

  /**
   * @param onNoSuccessor run when a dying thread could not make the clients of its successor
   */
  GuardedClients(Runnable onNoSuccessor) {
    this.onNoSuccessor = onNoSuccessor;
  }

  @Override
  public final Producer<byte[], byte[]> getProducer(Map<String, Object> settings) {
    return made(() -> producer(settings));
  }

  @Override
  public final Consumer<byte[], byte[]> getConsumer(Map<String, Object> settings) {
    return made(() -> consumer(settings));
  }

  @Override
  public final Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> settings) {
    return made(() -> super.getRestoreConsumer(settings));
  }

  Producer<byte[], byte[]> producer(Map<String, Object> settings) {
    return new GuardedProducer(settings);
  }

  Consumer<byte[], byte[]> consumer(Map<String, Object> settings) {
    return new GuardedConsumer(settings);
  }

  /** At the start a failure is reported elsewhere. Later only a dying thread asks for clients. */
  private <T> T made(Supplier<T> client) {
    try {
      return client.get();
    } catch (RuntimeException failure) {
      if (Thread.currentThread() instanceof StreamThread) {
        LOG.error("A thread died and cannot be replaced; the transformer stops", failure);
        onNoSuccessor.run();
      }
      throw failure;
    }
  }

  /** Whether a thread's records were delivered. */
  private static final class Deliveries {

    private volatile Exception failure;
  }

  /** Notes a failed delivery before Kafka Streams learns of it. */
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
      Deliveries mine = deliveries.get();
      if (mine.failure != null) {
        throw new KafkaException(
            "Offsets are not committed, since a record before them was not delivered",
            mine.failure);
      }
      try {
        commit(offsets);
      } catch (TimeoutException late) {
        // Streams would restart the tasks, and may forget where they have to begin.
        mine.failure = late;
        throw new KafkaException("Offsets could not be committed in time", late);
      }
    }

    void commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
      super.commitSync(offsets);
    }

    /**
     * Streams does this for partitions without a commit, and for those whose commit is gone from
     * the log.
     */
    @Override
    public void seekToBeginning(Collection<TopicPartition> partitions) {
      Map<TopicPartition, OffsetAndMetadata> committed = committed(Set.copyOf(partitions));
      Map<TopicPartition, Long> beginnings = beginningOffsets(partitions);
      committed.forEach(
          (partition, commit) -> {
            if (commit != null && commit.offset() < beginnings.get(partition)) {
              LOG.error(
                  "{} records of {}, from offset {} on, were deleted before they were read: their"
                      + " changes are missing from the audit log. Raise the topic's retention, or"
                      + " let the transformer be down for less long",
                  beginnings.get(partition) - commit.offset(),
                  partition,
                  commit.offset());
            }
          });
      super.seekToBeginning(partitions);
    }

    /**
     * The consumer leaves the group if it gave up, so that its successor need not wait for a
     * session timeout.
     */
    @Override
    public void close(CloseOptions options) {
      boolean gaveUp = deliveries.get().failure != null;
      super.close(gaveUp ? groupMembershipOperation(LEAVE_GROUP) : options);
    }
  }
}
