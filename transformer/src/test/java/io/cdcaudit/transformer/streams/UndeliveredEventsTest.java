package io.cdcaudit.transformer.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
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
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.ThreadMetadata;
import org.apache.kafka.streams.Topology;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Kafka Streams as the transformer runs it, when records or commits fail. */
class UndeliveredEventsTest {

  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @TempDir static Path folder;
  private static LocalBroker broker;
  private static Admin admin;
  private static KafkaProducer<byte[], byte[]> producer;

  @BeforeAll
  static void startBroker() throws IOException {
    broker = new LocalBroker(folder);
    admin = broker.admin();
    producer = broker.producer();
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  @Test
  void noTaskOfTheThreadGoesOnWithoutItsRecords() throws Exception {
    arriveAllTheSame("tasks", 2, new FailingClients());
  }

  @Test
  void aRebalanceAtThatMomentDoesNotForgetWhereToBegin() throws Exception {
    arriveAllTheSame("rebalance", 1, new RebalancingClients());
  }

  private static void arriveAllTheSame(String name, int partitions, FailingClients clients)
      throws Exception {
    createTopics(name, partitions);
    try (KafkaStreams streams = start(name, Duration.ofSeconds(1), clients)) {
      Set<String> sent = send(name, partitions);
      await().atMost(PATIENCE).until(() -> events(name).containsAll(sent));
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
    GuardedClients successor = new GuardedClients(UndeliveredEventsTest::unexpected);
    try (KafkaStreams streams = start("end", Duration.ofSeconds(1), successor)) {
      await().atMost(PATIENCE).until(() -> events("end").containsAll(sent));
    }
  }

  @Test
  void aCommitThatTakesTooLongIsTheLastOfItsThread() throws Exception {
    AtomicInteger commits = new AtomicInteger();
    GuardedClients clients =
        new GuardedClients(UndeliveredEventsTest::unexpected) {
          @Override
          Consumer<byte[], byte[]> consumer(Map<String, Object> settings) {
            return new GuardedConsumer(settings) {
              @Override
              void commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
                if (commits.incrementAndGet() == 1) {
                  throw new TimeoutException("it took too long");
                }
                super.commit(offsets);
              }
            };
          }
        };
    createTopics("commit", 2);
    try (KafkaStreams streams = start("commit", Duration.ofSeconds(1), clients)) {
      Set<String> threads = threads(streams);
      Set<String> sent = send("commit", 2);
      await().atMost(PATIENCE).until(() -> commits.get() > 1);
      await().atMost(PATIENCE).until(() -> events("commit").containsAll(sent));
      assertThat(threads(streams)).doesNotContainAnyElementsOf(threads);
    }
  }

  @Test
  void aThreadThatCannotBeReplacedEndsTheProcess() throws Exception {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    FailingClients clients =
        new FailingClients(() -> ended.complete(null)) {
          private boolean made;

          @Override
          Producer<byte[], byte[]> producer(Map<String, Object> settings) {
            if (made) {
              throw new KafkaException("No resolvable bootstrap urls given");
            }
            made = true;
            return super.producer(settings);
          }
        };
    createTopics("alone", 1);
    try (KafkaStreams streams = start("alone", Duration.ofSeconds(1), clients)) {
      send("alone", 1);
      ended.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  @Test
  void recordsThatWereDeletedUnreadAreSaidAloud() throws Exception {
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    Logger log = (Logger) LoggerFactory.getLogger(GuardedClients.class);
    log.setLevel(Level.ERROR);
    log.addAppender(lines);
    GuardedClients clients = new GuardedClients(UndeliveredEventsTest::unexpected);
    createTopics("deleted", 1);
    TopicPartition partition = new TopicPartition("deleted.raw", 0);
    try (KafkaStreams streams = start("deleted", Duration.ofMillis(100), clients)) {
      send("deleted", 1);
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                var commit =
                    admin
                        .listConsumerGroupOffsets("deleted")
                        .partitionsToOffsetAndMetadata()
                        .get()
                        .get(partition);
                return commit != null && commit.offset() == 200;
              });
    }
    assertThat(lines.list).isEmpty();
    send("deleted", 1);
    admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(250))).all().get();
    try (KafkaStreams streams = start("deleted", Duration.ofMillis(100), clients)) {
      await().atMost(PATIENCE).until(() -> !lines.list.isEmpty());
    } finally {
      log.detachAppender(lines);
      log.setLevel(null);
    }
    assertThat(lines.list.get(0).getFormattedMessage())
        .startsWith("50 records of deleted.raw-0, from offset 200 on, were deleted before");
  }

  private static void unexpected() {
    throw new IllegalStateException("nothing here should end the process");
  }

  private static Set<String> threads(KafkaStreams streams) {
    return streams.metadataForLocalThreads().stream()
        .map(ThreadMetadata::threadName)
        .collect(Collectors.toSet());
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
            .addSource(
                AutoOffsetReset.earliest(),
                "in",
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                name + ".raw")
            .addSink(
                "out",
                name + ".events",
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                "in");
    Properties settings = new Properties();
    OversizedEvents oversized = new OversizedEvents();
    settings.putAll(StreamsProperties.streams(properties(name), oversized));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, commitEvery.toMillis());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve(name).toString());
    KafkaStreams streams = new KafkaStreams(topology, settings, clients);
    streams.setUncaughtExceptionHandler(
        new StreamsFailures(Clock.systemUTC(), name + ".raw", oversized));
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

    FailingClients() {
      this(UndeliveredEventsTest::unexpected);
    }

    FailingClients(Runnable onNoSuccessor) {
      super(onNoSuccessor);
    }

    @Override
    Producer<byte[], byte[]> producer(Map<String, Object> settings) {
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

  /** In addition, the group is rebalanced in the next poll. */
  private static final class RebalancingClients extends FailingClients {

    @Override
    Consumer<byte[], byte[]> consumer(Map<String, Object> settings) {
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
