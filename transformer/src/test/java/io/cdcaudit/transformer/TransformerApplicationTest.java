package io.cdcaudit.transformer;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cdcaudit.transformer.samples.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import tools.jackson.databind.JsonNode;

/** The application as it is deployed, over a broker. */
class TransformerApplicationTest {

  /** Waiting ends as soon as it may; this is for a machine that has much else to do. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir static Path folder;
  private static LocalBroker broker;
  private static Admin admin;
  private static KafkaProducer<byte[], byte[]> producer;

  private final int port = LocalBroker.freePort();

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
  void itServesHealthAndMetricsAndNothingElse() throws Exception {
    createTopics("endpoints", Map.of());
    try (ConfigurableApplicationContext application = start("endpoints")) {
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(status("/actuator/health/readiness")).isEqualTo(200));
      assertThat(status("/actuator/health/liveness")).isEqualTo(200);
      send("endpoints", "not JSON");
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(get("/actuator/prometheus").body())
                      .contains("audit_dead_letters_total{reason=\"not-json\"} 1.0")
                      .contains("audit_transform_latency_seconds_bucket")
                      .contains("kafka_stream_thread_process_total"));
      for (String path :
          List.of("/", "/actuator", "/actuator/env", "/actuator/heapdump", "/actuator/shutdown")) {
        assertThat(status(path)).as(path).isEqualTo(404);
      }
    }
  }

  @Test
  void afterARestartItGoesOnAtOnceWithWhatItKnewOfTables() throws Exception {
    createTopics("restart", Map.of());
    try (ConfigurableApplicationContext application = start("restart")) {
      send("restart", catalogSignal());
      send("restart", insert(2, "\"t\""));
      assertThat(read("restart.audit.events", 2)).hasSize(2);
    }
    // The group is empty, so nobody waits for a session timeout.
    assertThat(
            admin.describeConsumerGroups(List.of("restart")).all().get().get("restart").members())
        .isEmpty();

    try (ConfigurableApplicationContext application = start("restart")) {
      send("restart", insert(3, "\"f\""));
      List<ConsumerRecord<byte[], byte[]>> events = read("restart.audit.events", 3);
      assertThat(events).hasSize(3);
      assertThat(Json.read(events.get(2).value()).required("after"))
          .isEqualTo(Json.read("{\"id\": 3, \"paid\": false}"));
      assertThat(new String(events.get(2).key(), StandardCharsets.UTF_8))
          .isEqualTo("shop.orders {\"id\":3}");
    }
  }

  @Test
  void aTopicThatWasMadeAgainGoesOnInTheStreamsOrder() throws Exception {
    createTopics("order", Map.of());
    try (ConfigurableApplicationContext application = start("order")) {
      send("order", catalogSignal());
      send("order", insert(2, "\"t\""));
      read("order.audit.events", 2);
    }
    admin.deleteTopics(List.of("order.cdc.raw")).all().get();
    await().until(() -> !admin.listTopics().names().get().contains("order.cdc.raw"));
    admin
        .createTopics(List.of(new NewTopic("order.cdc.raw", 1, (short) 1)))
        .all()
        .get();
    try (ConfigurableApplicationContext application = start("order")) {
      send("order", insert(3, "\"t\""));
      read("order.audit.events", 3);
    }
    try (ConfigurableApplicationContext application = start("order")) {
      send("order", insert(4, "\"t\""));
      List<Long> orders =
          read("order.audit.events", 4).stream()
              .map(event -> Json.read(event.value()).required("stream_order").longValue())
              .toList();
      assertThat(orders).isSorted().doesNotHaveDuplicates();
      assertThat(orders.get(1)).isEqualTo(orders.get(0) + 1);
      assertThat(orders.get(3)).isEqualTo(orders.get(2) + 1);
    }
  }

  @Test
  void recordsOfATableThatNobodyDescribedComeAgainInTheirPlaceOnceItIsDescribed()
      throws Exception {
    createTopics("undescribed", Map.of());
    try (ConfigurableApplicationContext application = start("undescribed")) {
      send("undescribed", insert(2, "\"t\""));
      send("undescribed", insert(3, "\"f\""));
      assertThat(read("undescribed.audit.dead-letter", 2))
          .allSatisfy(
              letter ->
                  assertThat(letter.headers().lastHeader("audit.reason").value())
                      .asString()
                      .isEqualTo("undescribed-table"));
    }
    try (ConfigurableApplicationContext application = start("undescribed")) {
      send("undescribed", catalogSignal());
      List<JsonNode> events =
          read("undescribed.audit.events", 3).stream()
              .map(event -> Json.read(event.value()))
              .toList();
      assertThat(events)
          .extracting(event -> event.required("operation").stringValue())
          .containsExactly("schema", "insert", "insert");
      assertThat(events.get(1).required("after"))
          .isEqualTo(Json.read("{\"id\": 2, \"paid\": true}"));
      long signal = events.get(0).required("stream_order").longValue();
      assertThat(events.get(1).required("stream_order").longValue()).isEqualTo(signal - 2);
      assertThat(events.get(2).required("stream_order").longValue()).isEqualTo(signal - 1);
      assertThat(read("undescribed.audit.dead-letter", 4))
          .filteredOn(letter -> letter.value() == null)
          .extracting(letter -> new String(letter.headers().lastHeader("audit.replayed.offset").value(), StandardCharsets.UTF_8))
          .containsExactly("0", "1");
    }
    // What was sent again is not sent a third time.
    try (ConfigurableApplicationContext application = start("undescribed")) {
      send("undescribed", insert(4, "\"t\""));
      assertThat(read("undescribed.audit.events", 4)).hasSize(4);
    }
  }

  @Test
  void anEventThatTheBrokerRefusesAsTooLargeEndsInTheDeadLettersAndTheRestFlowsOn()
      throws Exception {
    createTopics("oversized", Map.of("audit.events", 20_000));
    try (ConfigurableApplicationContext application = start("oversized")) {
      String incompressible =
          new Random(1).ints(60_000, 'a', 'z').mapToObj(Character::toString).collect(joining());
      send("oversized", catalogSignal());
      send("oversized", insert(2, '"' + incompressible + '"'));
      send("oversized", insert(3, "\"t\""));

      assertThat(read("oversized.audit.dead-letter", 1))
          .singleElement()
          .satisfies(
              letter -> {
                assertThat(new String(letter.value(), StandardCharsets.UTF_8))
                    .contains(incompressible);
                assertThat(letter.headers().lastHeader("audit.reason").value())
                    .asString()
                    .isEqualTo("too-large");
              });
      assertThat(read("oversized.audit.events", 2))
          .anySatisfy(
              event ->
                  assertThat(new String(event.value(), StandardCharsets.UTF_8))
                      .contains("\"transaction_id\":3"));
    }
  }

  @Test
  void withoutATopicItRefusesToStartAndSaysWhich() throws Exception {
    createTopics("incomplete", Map.of());
    admin.deleteTopics(List.of("incomplete.audit.catalog")).all().get();
    await().until(() -> !admin.listTopics().names().get().contains("incomplete.audit.catalog"));
    assertThatThrownBy(() -> start("incomplete"))
        .hasRootCauseMessage(
            "Topic \"incomplete.audit.catalog\" (AUDIT_TOPICS_CATALOG) does not exist on %s. Create it, or name another topic."
                .formatted(broker.address()));
  }

  private ConfigurableApplicationContext start(String prefix) {
    Map<String, Object> variables = new TreeMap<>();
    variables.put("AUDIT_SOURCE_ID", "test");
    variables.put("AUDIT_BOOTSTRAP_SERVERS", broker.address());
    variables.put("AUDIT_APPLICATION_ID", prefix);
    variables.put("AUDIT_AUTHENTICATION", "none");
    variables.put("AUDIT_TOPICS_RAW", prefix + ".cdc.raw");
    variables.put("AUDIT_TOPICS_EVENTS", prefix + ".audit.events");
    variables.put("AUDIT_TOPICS_CATALOG", prefix + ".audit.catalog");
    variables.put("AUDIT_TOPICS_DEAD_LETTER", prefix + ".audit.dead-letter");
    variables.put("AUDIT_REPLICATION_FACTOR", "-1");
    variables.put("AUDIT_STREAM_THREADS", "1");
    variables.put("AUDIT_LOB_MAX_SIZE_KILOBYTES", "4096");
    variables.put("AUDIT_MESSAGE_MAX_BYTES", "16777216");
    variables.put("AUDIT_DEAD_LETTER_MAX_BYTES", "16842752");
    variables.put("AUDIT_MANAGEMENT_PORT", String.valueOf(port));
    StandardEnvironment environment = new StandardEnvironment();
    String source = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
    environment
        .getPropertySources()
        .replace(source, new SystemEnvironmentPropertySource(source, variables));
    SpringApplication application = new SpringApplication(TransformerApplication.class);
    application.setEnvironment(environment);
    application.setRegisterShutdownHook(false);
    return application.run();
  }

  private static void createTopics(String prefix, Map<String, Integer> maxMessageBytes)
      throws Exception {
    List<NewTopic> topics = new ArrayList<>();
    for (String name : List.of("cdc.raw", "audit.events", "audit.catalog", "audit.dead-letter")) {
      String limit = String.valueOf(maxMessageBytes.getOrDefault(name, 1 << 24));
      topics.add(
          new NewTopic(prefix + "." + name, 1, (short) 1)
              .configs(Map.of("max.message.bytes", limit)));
    }
    admin.createTopics(topics).all().get();
  }

  private static void send(String prefix, String record)
      throws ExecutionException, InterruptedException {
    producer
        .send(new ProducerRecord<>(prefix + ".cdc.raw", record.getBytes(StandardCharsets.UTF_8)))
        .get();
  }

  /** At least this many records of a topic of one partition, from its beginning. */
  private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int count) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.address()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      consumer.seekToBeginning(consumer.assignment());
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                return records.size() >= count;
              });
    }
    return records;
  }

  private static String catalogSignal() {
    String body =
        "{\"reason\": \"watch\", \"replica_identity\": \"full\", \"key\": [\"id\"], \"columns\":"
            + " [{\"name\": \"id\", \"type\": \"integer\"}, {\"name\": \"paid\", \"type\":"
            + " \"boolean\"}]}";
    String data =
        "{\"kind\":\"catalog\",\"schema_name\":\"shop\",\"table_name\":\"orders\",\"body_1\":\"%s\"}";
    return record(1, "capture", "signal", data.formatted(body.replace("\"", "\\\"")));
  }

  private static String insert(int number, String paid) {
    return record(number, "shop", "orders", "{\"id\":%d,\"paid\":%s}".formatted(number, paid));
  }

  private static String record(int number, String schema, String table, String data) {
    return """
    {"data":%s,"metadata":{"timestamp":"2026-11-22T10:00:0%d.5Z","record-type":"data","operation":"insert",\
    "partition-key-type":"schema-table","schema-name":"%s","table-name":"%s","transaction-id":%2$d,\
    "transaction-record-id":1,"commit-timestamp":"2026-11-22T10:00:0%2$dZ","stream-position":"%2$d"}}\
    """
        .formatted(data, number, schema, table);
  }

  private int status(String path) throws IOException, InterruptedException {
    return get(path).statusCode();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
    return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
  }
}
