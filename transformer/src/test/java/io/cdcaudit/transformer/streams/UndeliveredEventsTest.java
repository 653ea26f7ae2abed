package io.cdcaudit.transformer.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cdcaudit.transformer.LocalBroker;
import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.configuration.AuditProperties.Authentication;
import io.cdcaudit.transformer.topology.OversizedEvents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka Streams as the transformer runs it, when its producer gives records up. */
class UndeliveredEventsTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir static Path folder;
  private static LocalBroker broker;
  private static Admin admin;
  private static KafkaProducer<byte[], byte[]> producer;

  @BeforeAll
  static void startBroker() throws IOException {
    broker = new LocalBroker(folder);
    admin = Admin.create(Map.of("bootstrap.servers", broker.address()));
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.address()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @AfterAll
  static void stopBroker() {
    producer.close();
    admin.close();
    broker.close();
  }

  @Test
  void noTaskOfTheThreadGoesOnWithoutItsRecords() throws Exception {
    FailingClients clients = new FailingClients();
    createTopics("tasks", 2);
    try (KafkaStreams streams = start("tasks", Duration.ofSeconds(1), clients)) {
      Set<String> sent = send("tasks", 2);
      await().atMost(PATIENCE).until(() -> events("tasks").containsAll(sent));
      assertThat(clients.givenUp).isEqualTo(sent.size());
    }
  }

  @Test
  void aRebalanceAtThatMomentDoesNotForgetWhereToBegin() throws Exception {
    FailingClients clients = new RebalancingClients();
    createTopics("rebalance", 1);
    try (KafkaStreams streams = start("rebalance", Duration.ofSeconds(1), clients)) {
      Set<String> sent = send("rebalance", 1);
      await().atMost(PATIENCE).until(() -> events("rebalance").containsAll(sent));
      assertThat(clients.givenUp).isEqualTo(sent.size());
    }
  }

  @Test
  void anOrderlyEndAtThatMomentCommitsForNoTask() throws Exception {
    FailingClients clients = new FailingClients();
    createTopics("end", 2);
    Set<String> sent;
    try (KafkaStreams streams = start("end", Duration.ofHours(1), clients)) {
      sent = send("end", 2);
      await().atMost(PATIENCE).until(() -> clients.held.size() == sent.size());
    }
    assertThat(clients.givenUp).isEqualTo(sent.size());
    try (KafkaStreams streams = start("end", Duration.ofSeconds(1), new GuardedClients())) {
      await().atMost(PATIENCE).until(() -> events("end").containsAll(sent));
    }
  }

  private static void createTopics(String name, int partitions) throws Exception {
    admin
        .createTopics(
            List.of(
                new NewTopic(name + ".raw", partitions, (short) 1),
                new NewTopic(name + ".events", 1, (short) 1)))
        .all()
        .get();
  }

  private static KafkaStreams start(String name, Duration commitEvery, GuardedClients clients) {
    Topology topology =
        new Topology()
            .addSource("in", new ByteArrayDeserializer(), new ByteArrayDeserializer(), name + ".raw")
            .addSink(
                "out",
                name + ".events",
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                "in");
    Properties settings = new Properties();
    settings.putAll(StreamsProperties.streams(properties(name), new OversizedEvents()));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, commitEvery.toMillis());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve(name).toString());
    settings.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    KafkaStreams streams = new KafkaStreams(topology, settings, clients);
    streams.setUncaughtExceptionHandler(new StreamsFailures(Clock.systemUTC(), name + ".raw"));
    streams.start();
    return streams;
  }

  private static AuditProperties properties(String name) {
    return new AuditProperties(
        "test",
        broker.address(),
        name,
        Authentication.NONE,
        new AuditProperties.TopicNames(
            name + ".raw", name + ".events", name + ".catalog", name + ".dead-letter"),
        -1,
        1,
        4096,
        1 << 20,
        8080);
  }

  /** Sends some records, alternately to each partition. */
  private static Set<String> send(String name, int partitions) {
    Set<String> values = new TreeSet<>();
    for (int number = 0; number < 200; number++) {
      String value = "record " + number;
      values.add(value);
      producer.send(
          new ProducerRecord<>(
              name + ".raw", number % partitions, null, value.getBytes(StandardCharsets.UTF_8)));
    }
    producer.flush();
    return values;
  }

  private static Set<String> events(String name) {
    Set<String> values = new TreeSet<>();
    TopicPartition partition = new TopicPartition(name + ".events", 0);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.address()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer
            .poll(Duration.ofMillis(200))
            .forEach(record -> values.add(new String(record.value(), StandardCharsets.UTF_8)));
      }
    }
    return values;
  }

  /** The first time that the records sent so far are waited for, all of them are given up. */
  private static class FailingClients extends GuardedClients {

    final Queue<Callback> held = new ConcurrentLinkedQueue<>();
    volatile int givenUp;

    @Override
    public Producer<byte[], byte[]> getProducer(Map<String, Object> settings) {
      return new GuardedProducer(settings) {

        @Override
        Future<RecordMetadata> deliver(ProducerRecord<byte[], byte[]> record, Callback callback) {
          if (givenUp > 0) {
            return super.deliver(record, callback);
          }
          held.add(callback);
          return new CompletableFuture<>();
        }

        @Override
        public void flush() {
          if (!held.isEmpty()) {
            giveUp();
          }
          super.flush();
        }
      };
    }

    private void giveUp() {
      for (Callback callback = held.poll(); callback != null; callback = held.poll()) {
        callback.onCompletion(null, new TimeoutException("it took too long"));
        givenUp++;
      }
    }
  }

  /** Moreover, the group is rebalanced in the next poll. */
  private static final class RebalancingClients extends FailingClients {

    @Override
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> settings) {
      return new GuardedConsumer(settings) {

        private boolean rebalanced;

        @Override
        public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
          if (givenUp > 0 && !rebalanced) {
            rebalanced = true;
            int generation = groupMetadata().generationId();
            enforceRebalance("the test wants it");
            while (groupMetadata().generationId() <= generation) {
              assertThat(super.poll(Duration.ofMillis(50))).isEmpty();
            }
          }
          return super.poll(timeout);
        }
      };
    }
  }
}
