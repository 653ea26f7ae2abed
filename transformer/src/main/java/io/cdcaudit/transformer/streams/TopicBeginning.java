package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.configuration.StartupException;
import io.cdcaudit.transformer.order.TopicBeginnings;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
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
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import tools.jackson.databind.json.JsonMapper;

/**
 * Finds where the topic of change records begins in the order of the stream, and notes it in the
 * catalog topic, before Streams reads the first record: an event must not depend on a beginning
 * that a restart might not find again.
 */
final class TopicBeginning implements SmartLifecycle {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final byte[] KEY = TopicBeginnings.KEY.getBytes(StandardCharsets.UTF_8);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Logger LOG = LoggerFactory.getLogger(TopicBeginning.class);

  private final AuditProperties properties;
  private final Clock clock;
  private volatile Long base;
  private volatile boolean running;

  TopicBeginning(AuditProperties properties, Clock clock) {
    this.properties = properties;
    this.clock = clock;
  }

  /** The stream order of offset 0; null if the topic has several partitions. */
  Long base() {
    return base;
  }

  @Override
  public void start() {
    String topic = properties.topics().raw();
    try {
      TopicDescription description = describe(topic);
      if (description.partitions().size() == 1) {
        base = baseOf(description.topicId().toString());
        LOG.info("Topic \"{}\" begins at {} in the order of the stream", topic, base);
      } else {
        LOG.warn(
            "Topic \"{}\" has {} partitions, so events are ordered by their commit times",
            topic,
            description.partitions().size());
      }
    } catch (KafkaException failed) {
      throw new StartupException(
          "The order of topic \"%s\" (AUDIT_TOPICS_RAW) could not be read from or noted in topic \"%s\" (AUDIT_TOPICS_CATALOG): %s"
              .formatted(topic, properties.topics().catalog(), failed));
    }
    running = true;
  }

  private TopicDescription describe(String topic) {
    try (Admin admin = Admin.create(StreamsProperties.connection(properties))) {
      return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof KafkaException cause
          ? cause
          : new KafkaException(failed.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException("Interrupted while asking the brokers for topic \"" + topic + '"');
    }
  }

  private long baseOf(String topicId) {
    try (Consumer<byte[], byte[]> consumer = consumer()) {
      TopicBeginnings noted = read(consumer, TopicBeginnings.NONE);
      OptionalLong known = noted.baseOf(topicId);
      if (known.isPresent()) {
        return known.getAsLong();
      }
      note(noted.with(topicId, clock.instant()));
      // Another process may have noted another beginning just before this one. The first counts
      // for both, and compaction keeps the last.
      TopicBeginnings both = read(consumer, noted);
      note(both);
      return both.baseOf(topicId).orElseThrow();
    }
  }

  /** What the catalog topic says from where the consumer stands to its end, and what was known. */
  private TopicBeginnings read(Consumer<byte[], byte[]> consumer, TopicBeginnings known) {
    TopicBeginnings beginnings = known;
    Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
    while (ends.entrySet().stream()
        .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
      for (ConsumerRecord<byte[], byte[]> entry : consumer.poll(POLL)) {
        boolean isOurs = Arrays.equals(entry.key(), KEY) && entry.value() != null;
        if (isOurs) {
          beginnings = beginnings.with(TopicBeginnings.read(JSON.readTree(entry.value())));
        }
      }
    }
    return beginnings;
  }

  private void note(TopicBeginnings beginnings) {
    Map<String, Object> settings = StreamsProperties.connection(properties);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    try (Producer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer
          .send(new ProducerRecord<>(properties.topics().catalog(), KEY, beginnings.write()))
          .get();
    } catch (ExecutionException failed) {
      throw new KafkaException(failed.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException("Interrupted while noting the order of the stream.");
    }
  }

  private Consumer<byte[], byte[]> consumer() {
    Map<String, Object> settings = StreamsProperties.connection(properties);
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    Consumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        consumer.partitionsFor(properties.topics().catalog()).stream()
            .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    return consumer;
  }

  @Override
  public void stop() {
    running = false;
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** After {@link TopicCheck}, before Streams. */
  @Override
  public int getPhase() {
    return 1;
  }
}
