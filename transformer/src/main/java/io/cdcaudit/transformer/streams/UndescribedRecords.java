package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.event.Transformation;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.topology.DeadLetters;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Transforms the records of a table after all, once a catalog signal has described it. Until then
 * they lie whole in the dead-letter topic, because nobody could tell which of their columns to
 * redact. Each event gets the identity and the place that it would have had at once.
 *
 * <p>Each letter is then marked there as replayed, as {@code npm run dead-letters} does, so a restart
 * does not read it once more. If a crash comes between, or two processes read it, the event has the
 * same identity and is stored once. What is refused for another reason, too, stays a dead letter.
 */
final class UndescribedRecords implements SmartLifecycle, Runnable {

  private static final Duration POLL = Duration.ofSeconds(1);
  private static final int MESSAGE_OVERHEAD = 1_024;
  private static final Duration AFTER_A_FAILURE = Duration.ofSeconds(10);
  private static final Logger LOG = LoggerFactory.getLogger(UndescribedRecords.class);

  private final AuditProperties properties;
  private final ShapeHistories histories;
  private final TransformerMetrics metrics;
  private final Clock clock;
  private final TopicPartition letters;
  private volatile Thread thread;

  UndescribedRecords(
      AuditProperties properties,
      ShapeHistories histories,
      TransformerMetrics metrics,
      Clock clock) {
    this.properties = properties;
    this.histories = histories;
    this.metrics = metrics;
    this.clock = clock;
    // The topic has one partition: contract/topic-definitions.json.
    this.letters = new TopicPartition(properties.topics().deadLetter(), 0);
  }

  @Override
  public void start() {
    Thread started = new Thread(this, "undescribed-records");
    started.setDaemon(true);
    thread = started;
    started.start();
  }

  /** Reads dead letters until it is stopped. A failure begins it again: nothing is held in it. */
  @Override
  public void run() {
    while (isRunning()) {
      try (Consumer<byte[], byte[]> consumer = consumer(properties);
          Producer<byte[], byte[]> producer = producer(properties)) {
        Returns returns = new Returns(consumer, producer);
        while (isRunning()) {
          returns.look(POLL);
        }
      } catch (InterruptException | WakeupException stopped) {
        return;
      } catch (RuntimeException failed) {
        LOG.warn("Records of undescribed tables wait; trying again", failed);
        pause();
      }
    }
  }

  /** One reading of the topic from its beginning onward. */
  private final class Returns {

    private final Consumer<byte[], byte[]> consumer;
    private final Producer<byte[], byte[]> producer;
    private final Transformation transformation =
        new Transformation(properties.sourceId(), properties.lobLimit(), histories);
    private final AuditEventWriter writer = new AuditEventWriter(properties.sourceId());
    private final long beginning;

    /** Where the letters of each table lie that wait for its description, above the beginning. */
    private final Map<TableName, BitSet> waiting = new HashMap<>();

    Returns(Consumer<byte[], byte[]> consumer, Producer<byte[], byte[]> producer) {
      this.consumer = consumer;
      this.producer = producer;
      consumer.assign(List.of(letters));
      consumer.seekToBeginning(List.of(letters));
      this.beginning = consumer.position(letters);
    }

    void look(Duration patience) {
      for (ConsumerRecord<byte[], byte[]> letter : consumer.poll(patience)) {
        note(letter);
      }
      boolean hasReadAll =
          consumer.position(letters) >= consumer.endOffsets(List.of(letters)).get(letters);
      if (hasReadAll) {
        List<TableName> described =
            waiting.keySet().stream().filter(histories::isDescribed).toList();
        described.forEach(table -> send(table, waiting.remove(table)));
      }
    }

    private void note(ConsumerRecord<byte[], byte[]> letter) {
      Long replayed = DeadLetters.replayedOffset(letter.headers());
      if (replayed != null) {
        // The letter of an older marker may be gone by now.
        if (replayed >= beginning) {
          waiting.values().forEach(places -> places.clear((int) (replayed - beginning)));
          waiting.values().removeIf(BitSet::isEmpty);
        }
        return;
      }
      TableName table = DeadLetters.undescribedTable(letter);
      if (table != null) {
        waiting
            .computeIfAbsent(table, name -> new BitSet())
            .set((int) (letter.offset() - beginning));
      }
    }

    /** Reads the letters of a table once more and sends the event of each. */
    private void send(TableName table, BitSet places) {
      long position = consumer.position(letters);
      long end = beginning + places.length();
      consumer.seek(letters, beginning + places.nextSetBit(0));
      while (consumer.position(letters) < end) {
        List<ProducerRecord<byte[], byte[]>> events = new ArrayList<>();
        List<ProducerRecord<byte[], byte[]>> markers = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> letter : consumer.poll(POLL)) {
          if (letter.offset() < end && places.get((int) (letter.offset() - beginning))) {
            transform(letter, events, markers);
          }
        }
        // First the events, then the markers: a crash in between sends them again, and loses none.
        deliver(events);
        deliver(markers);
      }
      consumer.seek(letters, position);
      LOG.info(
          "{} is described now: its {} records among the dead letters were read again",
          table,
          places.cardinality());
    }

    private void transform(
        ConsumerRecord<byte[], byte[]> letter,
        List<ProducerRecord<byte[], byte[]>> events,
        List<ProducerRecord<byte[], byte[]>> markers) {
      Outcome outcome =
          transformation.apply(letter.value(), DeadLetters.origin(letter.headers()));
      if (outcome instanceof Outcome.Audited audited) {
        byte[] key = writer.key(audited.event());
        byte[] value = writer.value(audited.event(), Timestamp.of(clock.instant()));
        if (key.length + value.length + MESSAGE_OVERHEAD > properties.messageMaxBytes()) {
          LOG.warn("The event of the dead letter at {} is too large; it stays", letter.offset());
          return;
        }
        events.add(new ProducerRecord<>(properties.topics().events(), key, value));
        metrics.count(audited.event().operation().word(), audited.event().table());
      } else if (outcome instanceof Outcome.Ignored ignored) {
        metrics.count(ignored.kind().code(), ignored.table());
      } else {
        LOG.warn("The dead letter at {} makes no event; it stays", letter.offset());
        return;
      }
      markers.add(DeadLetters.replayMarker(letter));
    }

    private void deliver(List<ProducerRecord<byte[], byte[]>> records) {
      List<Future<?>> sent = new ArrayList<>();
      records.forEach(record -> sent.add(producer.send(record)));
      producer.flush();
      for (Future<?> delivery : sent) {
        try {
          delivery.get();
        } catch (ExecutionException failed) {
          throw new KafkaException(failed.getCause());
        } catch (InterruptedException interrupted) {
          throw new InterruptException(interrupted);
        }
      }
    }
  }

  private static Consumer<byte[], byte[]> consumer(AuditProperties properties) {
    Map<String, Object> settings = StreamsProperties.connection(properties);
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, properties.messageMaxBytes());
    return new KafkaConsumer<>(
        settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Producer<byte[], byte[]> producer(AuditProperties properties) {
    Map<String, Object> settings = StreamsProperties.connection(properties);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, properties.deadLetterMaxBytes());
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static void pause() {
    try {
      Thread.sleep(AFTER_A_FAILURE.toMillis());
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void stop() {
    Thread stopping = thread;
    thread = null;
    if (stopping != null) {
      stopping.interrupt();
    }
  }

  @Override
  public boolean isRunning() {
    return thread != null;
  }

  /** Last: Streams runs by then, and the histories are whole. */
  @Override
  public int getPhase() {
    return Integer.MAX_VALUE;
  }
}
