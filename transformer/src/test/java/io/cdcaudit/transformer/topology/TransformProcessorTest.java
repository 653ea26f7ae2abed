package io.cdcaudit.transformer.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.IgnoredKind;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.order.TopicBeginnings;
import io.cdcaudit.transformer.samples.Json;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.ProductionExceptionHandler.Result;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.Test;

class TransformProcessorTest {

  @Test
  void aDeadLetterIsTheWholeRecordWithItsOriginAndReason() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send(bytes("ignored by the test"));
      RecordHeaders headers = new RecordHeaders();
      headers.add("audit.replays", bytes("3"));
      headers.add("audit.reason", bytes("of the last time"));
      driver.deadLetters();
      driver.send(new TestRecord<>(bytes("key"), bytes("not JSON"), headers));
      assertThat(driver.deadLetters())
          .singleElement()
          .satisfies(
              letter -> {
                assertThat(letter.key()).isEqualTo(bytes("key"));
                assertThat(letter.value()).isEqualTo(bytes("not JSON"));
                assertThat(texts(letter.headers()))
                    .containsOnly(
                        Map.entry("audit.replays", "3"),
                        Map.entry("audit.reason", "not-json"),
                        Map.entry("audit.message", "the value is no JSON from byte 0 on"),
                        Map.entry("audit.source.topic", "cdc.raw"),
                        Map.entry("audit.source.partition", "0"),
                        Map.entry("audit.source.offset", "1"),
                        Map.entry("audit.first.origin", "cdc.raw:0:1"),
                        Map.entry(
                            "audit.stream.order",
                            Long.toString(TransformerDriver.BEGINNING + 1)));
                assertThat(letter.headers().toArray()).hasSize(8);
              });
    }
  }

  @Test
  void whatIsWrittenIsAsOldAsItsWritingSoThatRetentionCountsFromThere() {
    Instant now = Instant.parse("2026-11-22T11:00:00Z");
    try (TransformerDriver driver =
        new TransformerDriver(2048, 1 << 20, Clock.fixed(now, ZoneOffset.UTC))) {
      Instant longAgo = Instant.parse("2026-01-01T00:00:00Z");
      driver.send(new TestRecord<>(null, catalogSignal("watch", 1), longAgo));
      driver.send(new TestRecord<>(null, bytes("not JSON"), longAgo));
      assertThat(driver.events().get(0).getRecordTime()).isEqualTo(now);
      assertThat(driver.deadLetters().get(0).getRecordTime()).isEqualTo(now);
    }
  }

  @Test
  void aRecordWithoutAValueIsADeadLetter() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send((byte[]) null);
      assertThat(driver.deadLetters())
          .singleElement()
          .satisfies(letter -> assertThat(letter.value()).isNull());
    }
  }

  @Test
  void aDeadLetterThatIsItselfTooLargeKeepsItsHeaders() {
    try (TransformerDriver driver = new TransformerDriver(2048, 1 << 20, Clock.systemUTC())) {
      int limit = (1 << 20) + TransformerDriver.DEAD_LETTER_HEADROOM;
      driver.send(new byte[1 << 20]);
      assertThat(driver.deadLetters())
          .singleElement()
          .satisfies(letter -> assertThat(letter.value()).hasSize(1 << 20));

      driver.send(new byte[limit]);
      assertThat(driver.deadLetters())
          .singleElement()
          .satisfies(
              letter -> {
                assertThat(letter.value()).isNull();
                assertThat(texts(letter.headers()))
                    .containsEntry("audit.reason", "not-json")
                    .containsEntry("audit.source.offset", "1");
                assertThat(texts(letter.headers()).get("audit.message"))
                    .contains("too large for this topic");
              });
    }
  }

  @Test
  void anErrorOfTheTransformersOwnIsADeadLetterThatDoesNotQuoteTheRow() {
    BiFunction<byte[], Origin, Outcome> broken =
        (value, origin) -> {
          throw new IllegalStateException("secret of the row");
        };
    MockProcessorContext<byte[], byte[]> context = new MockProcessorContext<>();
    context.setRecordMetadata("cdc.raw", 0, 7);
    TransformProcessor processor =
        new TransformProcessor(
            broken,
            new AuditEventWriter("source"),
            new ShapeHistories(),
            new Limits(1 << 20, 1 << 20, new OversizedEvents()),
            new TransformerMetrics(new SimpleMeterRegistry()),
            Clock.systemUTC(),
            () -> null);
    processor.init(context);

    processor.process(new Record<>(null, bytes("{}"), 0));

    assertThat(context.forwarded("dead-letters"))
        .singleElement()
        .satisfies(
            forward -> {
              Map<String, String> headers = texts(forward.record().headers());
              assertThat(headers).containsEntry("audit.reason", "internal-error");
              assertThat(headers.get("audit.message"))
                  .contains("IllegalStateException")
                  .doesNotContain("secret");
            });
  }

  @Test
  void aRecordThatIsSentAgainKeepsThePlaceThatItHadFirst() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send(bytes("not JSON"));
      RecordHeaders headers = new RecordHeaders();
      headers.add("audit.stream.order", bytes("17"));
      headers.add("audit.first.origin", bytes("cdc.raw:0:4"));
      driver.send(catalogSignal("watch", 1));
      driver.events();
      driver.send(new TestRecord<>(null, INSERT, headers));
      assertThat(Json.read(driver.events().get(0).value()).required("stream_order").longValue())
          .isEqualTo(17);

      driver.deadLetters();
      driver.send(new TestRecord<>(null, bytes("still no JSON"), headers));
      assertThat(texts(driver.deadLetters().get(0).headers()))
          .containsEntry("audit.stream.order", "17")
          .containsEntry("audit.first.origin", "cdc.raw:0:4")
          .containsEntry("audit.source.offset", "3");
    }
  }

  @Test
  void withSeveralPartitionsThePlaceIsTheCommitTime() {
    try (TransformerDriver driver = new TransformerDriver(null)) {
      driver.send(catalogSignal("watch", 1));
      driver.events();
      driver.send(INSERT);
      assertThat(Json.read(driver.events().get(0).value()).required("stream_order").longValue())
          .isEqualTo(1_795_341_609_000_000L);
      driver.send(bytes("not JSON"));
      assertThat(texts(driver.deadLetters().get(0).headers()))
          .doesNotContainKey("audit.stream.order");
    }
  }

  @Test
  void aTopicThatWasMadeAgainEndsTheThread() {
    MockProcessorContext<byte[], byte[]> context = new MockProcessorContext<>();
    TransformProcessor processor =
        new TransformProcessor(
            (value, origin) -> new Outcome.Ignored(IgnoredKind.CONTROL, null),
            new AuditEventWriter("source"),
            new ShapeHistories(),
            new Limits(1 << 20, 1 << 20, new OversizedEvents()),
            new TransformerMetrics(new SimpleMeterRegistry()),
            Clock.systemUTC(),
            () -> 100L);
    processor.init(context);
    for (long offset : List.of(7L, 7L, 8L, 11L)) {
      context.setRecordMetadata("cdc.raw", 0, offset);
      processor.process(new Record<>(null, bytes("{}"), 0));
    }
    context.setRecordMetadata("cdc.raw", 0, 0);
    assertThatThrownBy(() -> processor.process(new Record<>(null, bytes("{}"), 0)))
        .isInstanceOf(TopicReplacedException.class)
        .hasMessageContaining("Offset 0 of topic \"cdc.raw\" came after offset 11");
  }

  @Test
  void anEventThatABrokerRefusedAsTooLargeIsADeadLetterTheNextTime() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send(catalogSignal("watch", 1));
      driver.events();
      driver.send(INSERT);
      byte[] event = driver.events().get(0).value();
      SendFailures failures = new SendFailures();
      failures.configure(
          Map.of(
              SendFailures.OVERSIZED_EVENTS,
              driver.oversized(),
              SendFailures.EVENTS_TOPIC,
              "audit.events"));

      var response =
          failures.handleError(
              null, new ProducerRecord<>("audit.events", event), new RecordTooLargeException());

      assertThat(response.result()).isEqualTo(Result.FAIL);
      driver.send(INSERT);
      assertThat(driver.events()).isEmpty();
      assertThat(driver.deadLetters())
          .singleElement()
          .satisfies(
              letter ->
                  assertThat(texts(letter.headers())).containsEntry("audit.reason", "too-large"));
    }
  }

  @Test
  void noFailureToSendIsSkippedOrLeftToOneTask() {
    SendFailures failures = new SendFailures();
    failures.configure(
        Map.of(
            SendFailures.OVERSIZED_EVENTS,
            new OversizedEvents(),
            SendFailures.EVENTS_TOPIC,
            "audit.events"));
    ProducerRecord<byte[], byte[]> record = new ProducerRecord<>("audit.catalog", new byte[0]);
    assertThat(failures.handleError(null, record, new TimeoutException()).result())
        .isEqualTo(Result.FAIL);
    assertThat(failures.handleError(null, record, new IllegalArgumentException()).result())
        .isEqualTo(Result.FAIL);
  }

  @Test
  void aCatalogEntryThatCameBackIncompleteIsPublishedAgain() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send(catalogSignal("watch", 1));
      byte[] first = driver.catalog().get("shop.orders");
      driver.send(catalogSignal("ddl", 2));
      byte[] both = driver.catalog().get("shop.orders");
      driver.advanceWallClock(Duration.ofMinutes(1));
      assertThat(driver.catalog()).isEmpty();

      driver.receiveCatalog("shop.orders", first);
      driver.advanceWallClock(Duration.ofMinutes(1));

      assertThat(driver.catalog()).containsOnlyKeys("shop.orders");
      assertThat(Json.read(both).required("versions").size()).isEqualTo(2);
      driver.advanceWallClock(Duration.ofMinutes(1));
      assertThat(driver.catalog()).isEmpty();
    }
  }

  @Test
  void aCatalogEntryThatCannotBeReadIsLeftAsideAndADeletedOneForgotten() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send(catalogSignal("watch", 1));
      driver.events();
      driver.receiveCatalog("shop.orders", bytes("not JSON"));
      driver.send(INSERT);
      assertThat(Json.read(driver.events().get(0).value()).has("untyped_columns")).isFalse();

      driver.receiveCatalog("shop.orders", driver.catalog().get("shop.orders"));
      driver.receiveCatalog("shop.orders", null);
      driver.send(INSERT);
      assertThat(texts(driver.deadLetters().get(0).headers()))
          .containsEntry("audit.reason", "undescribed-table");
    }
  }

  @Test
  void theNoteOfWhereTheStreamBeginsIsNoTablesEntry() {
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.receiveCatalog(
          TopicBeginnings.KEY, TopicBeginnings.NONE.with("id", Instant.EPOCH).write());
      driver.receiveCatalog(TopicBeginnings.KEY, null);
      driver.send(catalogSignal("watch", 1));
      assertThat(driver.catalog()).containsOnlyKeys("shop.orders");
    }
  }

  @Test
  void tablesWhoseNamesLookAlikeKeepTheirCatalogsApart() {
    try (TransformerDriver driver = new TransformerDriver();
        TransformerDriver restarted = new TransformerDriver()) {
      driver.send(catalogSignal("watch", 1, "a.b", "c"));
      driver.send(catalogSignal("watch", 2, "a", "b.c"));
      Map<String, byte[]> entries = driver.catalog();
      assertThat(entries).containsOnlyKeys("\"a.b\".c", "a.\"b.c\"");

      entries.forEach(restarted::receiveCatalog);
      restarted.send(record("insert", "a.b", "c", 9, "{\"id\":1}"));
      restarted.send(record("insert", "a", "b.c", 9, "{\"id\":1}"));
      assertThat(restarted.events())
          .allSatisfy(
              event -> assertThat(Json.read(event.value()).has("untyped_columns")).isFalse());
    }
  }

  @Test
  void anEntryUnderTheKeyThatItHadEarlierIsReadAndMayBeDeleted() {
    byte[] insert = record("insert", "a.b", "c", 9, "{\"id\":1}");
    try (TransformerDriver earlier = new TransformerDriver();
        TransformerDriver driver = new TransformerDriver()) {
      earlier.send(catalogSignal("watch", 1, "a.b", "c"));
      driver.receiveCatalog("a.b.c", earlier.catalog().get("\"a.b\".c"));
      driver.send(insert);
      assertThat(Json.read(driver.events().get(0).value()).has("untyped_columns")).isFalse();

      driver.send(catalogSignal("ddl", 2, "a.b", "c"));
      driver.events();
      byte[] both = driver.catalog().get("\"a.b\".c");
      assertThat(Json.read(both).required("versions").size()).isEqualTo(2);
      driver.receiveCatalog("\"a.b\".c", both);
      driver.receiveCatalog("a.b.c", null);
      driver.send(insert);
      assertThat(Json.read(driver.events().get(0).value()).has("untyped_columns")).isFalse();

      driver.receiveCatalog("\"a.b\".c", null);
      driver.send(insert);
      assertThat(driver.events()).isEmpty();
      assertThat(driver.deadLetters()).hasSize(1);
    }
  }

  private static final byte[] INSERT = record("insert", "shop", "orders", 9, "{\"id\":1}");

  private static byte[] catalogSignal(String reason, int second) {
    return catalogSignal(reason, second, "shop", "orders");
  }

  private static byte[] catalogSignal(String reason, int second, String schema, String table) {
    String columns = second == 1 ? "integer" : "bigint";
    String body =
        "{\"reason\": \"%s\", \"replica_identity\": \"full\", \"key\": [\"id\"], \"columns\": [{\"name\": \"id\", \"type\": \"%s\"}]}"
            .formatted(reason, columns)
            .replace("\"", "\\\"");
    String data =
        "{\"kind\":\"catalog\",\"schema_name\":\"%s\",\"table_name\":\"%s\",\"body_1\":\"%s\"}"
            .formatted(schema, table, body);
    return record("insert", "capture", "signal", second, data);
  }

  private static byte[] record(
      String operation, String schema, String table, int second, String data) {
    return bytes(
        """
        {"data":%s,"metadata":{"timestamp":"2026-11-22T10:00:0%d.5Z","record-type":"data","operation":"%s","schema-name":"%s",\
        "table-name":"%s","transaction-id":%2$d,"transaction-record-id":1,"commit-timestamp":"2026-11-22T10:00:0%2$dZ",\
        "stream-position":"%2$d"}}\
        """
            .formatted(data, second, operation, schema, table));
  }

  private static Map<String, String> texts(Iterable<Header> headers) {
    Map<String, String> texts = new HashMap<>();
    headers.forEach(
        header -> texts.put(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
    return texts;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
