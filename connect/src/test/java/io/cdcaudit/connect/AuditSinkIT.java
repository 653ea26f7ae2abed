package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.connect.fixture.Events;
import io.cdcaudit.connect.fixture.Eventually;
import io.cdcaudit.connect.fixture.Servers;
import io.cdcaudit.connect.fixture.TestSink;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The built ZIP in a real worker, with the contract's properties, between a real broker and a real
 * PostgreSQL.
 */
class AuditSinkIT {
  private static final Duration SOON = Duration.ofSeconds(60);

  private static Servers servers;

  @BeforeAll
  static void startServers() {
    servers = new Servers();
  }

  @AfterAll
  static void stopServers() {
    servers.close();
  }

  @Test
  void everyFieldArrivesAsItWasSent() throws Exception {
    try (TestSink sink = new TestSink(servers, "every_field").start()) {
      String after =
          "{\"id\":7,\"nested\":{\"deep\":[1,null,{\"x\":\"é😀\\\\u0041\"}]},\"digits\":1234567890.12345678901234567890}";
      sink.send(Events.event(7, after));
      sink.awaitRows(1, SOON);

      Map<String, String> row = sink.table.row("SELECT * FROM audit.events");
      assertThat(row)
          .containsEntry("committed_at", "2026-11-22 10:15:30.000007+00")
          .containsEntry("event_id", Events.eventId(7))
          .containsEntry("source_id", "shop")
          .containsEntry("transaction_id", "1007")
          .containsEntry("sequence", "1")
          .containsEntry("operation", "insert")
          .containsEntry("record_key", "{\"id\": 7}")
          .containsEntry("before", null)
          .containsEntry("unknown_columns", null)
          .containsEntry("untyped_columns", "{note,customer}")
          .containsEntry("captured_at", "2026-11-22 10:15:31.5+00")
          .containsEntry("transformed_at", "2026-11-22 10:15:32+00");
      assertThat(sink.table.single("SELECT after = '" + after + "'::jsonb FROM audit.events"))
          .isEqualTo("t");
      assertThat(row.get("after")).contains("1234567890.12345678901234567890");
      assertThat(row.get("stored_at")).isNotNull();
    }
  }

  @Test
  void eventsThatAreDeliveredAgainChangeNothing() throws Exception {
    try (TestSink sink = new TestSink(servers, "delivered_again")) {
      sink.sendOrders(0, 5_000);
      sink.sendOrders(4_900, 5_000); // So that one statement holds an event twice.
      sink.start();
      sink.awaitRows(5_000, SOON);
      sink.awaitCommitted();
      String fingerprint =
          "SELECT md5(string_agg(xmin::text || ctid::text || stored_at, ',' ORDER BY event_id))"
              + " FROM audit.events";
      String before = sink.table.single(fingerprint);

      servers.worker.resetOffsets(sink.name);
      sink.sendOrders(5_000, 5_001);
      sink.awaitRows(5_001, SOON);

      sink.table.execute(
          "DELETE FROM audit.events WHERE event_id = '" + Events.eventId(5_000) + "'");
      sink.awaitCommitted();
      assertThat(sink.table.single(fingerprint)).isEqualTo(before);
      assertThat(sink.deadLetters(0)).isEmpty();
    }
  }

  @Test
  void aCrashAndAnOutageOf20SecondsHealByThemselves() throws Exception {
    try (TestSink sink = new TestSink(servers, "outage").start()) {
      sink.sendOrders(0, 10_000);
      Eventually.within(SOON, () -> assertThat(sink.table.count()).isPositive());
      servers.postgres.crash();
      servers.postgres.start();
      sink.sendOrders(10_000, 20_000);
      Eventually.within(SOON, () -> assertThat(sink.table.count()).isGreaterThan(10_000));
      servers.postgres.stop();
      sink.sendOrders(20_000, 30_000);
      Eventually.pause(Duration.ofSeconds(20));
      assertThat(servers.worker.taskStates(sink.name)).containsOnly("RUNNING");
      servers.postgres.start();

      sink.awaitRows(30_000, SOON);
      assertThat(sink.deadLetters(0)).isEmpty();
    }
  }

  @Test
  void aConnectionKilledInTheMiddleOfItsCommitLosesAndDoublesNothing() throws Exception {
    try (TestSink sink = new TestSink(servers, "killed_at_commit")) {
      // At its first commit the session ends itself; a sequence remembers that, because it does not
      // roll back.
      sink.table.execute(
          """
          CREATE SEQUENCE audit.commits;
          CREATE FUNCTION audit.die_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
          BEGIN
            IF nextval('audit.commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NULL;
          END $$;
          CREATE CONSTRAINT TRIGGER die_once AFTER INSERT ON audit.events_2026
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.die_once();
          """);
      sink.sendOrders(0, 20_000);
      sink.start();
      for (int kill = 0; kill < 10; kill++) {
        Eventually.pause(Duration.ofMillis(200));
        sink.endSessions();
      }

      sink.awaitRows(20_000, SOON);
      assertThat(sink.table.single("SELECT count(DISTINCT event_id) FROM audit.events"))
          .isEqualTo("20000");
      assertThat(sink.deadLetters(0)).isEmpty();
    }
  }

  @Test
  void aRowThatTheDatabaseRefusesGoesToTheDeadLetterTopicAloneAndItsNeighboursAreStored()
      throws Exception {
    try (TestSink sink = new TestSink(servers, "refused_row")) {
      String hugeNumber =
          Events.event(5_000, "{\"id\":5000,\"note\":\"a personal note\",\"n\":1e200000}");
      String hugeKey =
          Events.order(5_001)
              .replace("{\"id\":5001}", "{\"id\":\"" + incompressible(20_000) + "\"}");
      sink.sendOrders(0, 1_000);
      sink.send(hugeNumber);
      sink.sendOrders(1_000, 2_000);
      sink.send(hugeKey);
      sink.start();

      sink.awaitRows(2_000, SOON);
      List<ConsumerRecord<byte[], byte[]>> letters = sink.deadLetters(2);
      assertThat(letters)
          .extracting(letter -> text(letter.value()))
          .containsExactlyInAnyOrder(hugeNumber, hugeKey);
      assertThat(letters)
          .extracting(letter -> header(letter, "__connect.errors.exception.message"))
          .satisfiesExactlyInAnyOrder(
              reason ->
                  assertThat(reason)
                      .isEqualTo(
                          "The database refused the row: value overflows numeric format (SQLSTATE"
                              + " 22003)"),
              reason -> assertThat(reason).contains("index row requires", "(SQLSTATE 54000)"));
      assertThat(letters)
          .allSatisfy(
              letter ->
                  assertThat(header(letter, "__connect.errors.topic"))
                      .isEqualTo("refused_row.audit.events"));
      assertThat(servers.worker.log())
          .doesNotContain("a personal note")
          .contains("value overflows numeric format");
    }
  }

  @Test
  void whatIsNoAuditEventGoesToTheDeadLetterTopicWithItsReason() throws Exception {
    try (TestSink sink = new TestSink(servers, "no_event").start()) {
      sink.send(Events.order(1));
      sink.send("{\"event_id\":");
      sink.send(Events.event(2, "{\"id\":2,\"text\":\"\\u0000\"}"));
      sink.send(Events.order(3).replace("\"operation\":\"insert\"", "\"operation\":\"upsert\""));
      sink.send(null);
      sink.send(Events.order(4));

      sink.awaitRows(2, SOON);
      assertThat(sink.deadLetters(4))
          .extracting(letter -> header(letter, "__connect.errors.exception.message"))
          .satisfiesExactlyInAnyOrder(
              reason -> assertThat(reason).contains("the value is not JSON"),
              reason ->
                  assertThat(reason)
                      .contains(
                          "the field \"after\" is an object; allowed is JSON in UTF-8 without"
                              + " \\u0000"),
              reason ->
                  assertThat(reason)
                      .contains("the field \"operation\" is a string of 6 characters; allowed are"),
              reason -> assertThat(reason).contains("the record has no value"));
    }
  }

  @Test
  void aLargeRowIsStoredAndALargeRefusedRowReachesTheDeadLetterTopicWhole() throws Exception {
    try (TestSink sink = new TestSink(servers, "large_rows").start()) {
      String filler = "x".repeat(5_000_000);
      String refusedByConverter = Events.event(2, "{\"text\":\"\\u0000" + filler + "\"}");
      String refusedByDatabase = Events.event(3, "{\"n\":1e200000,\"text\":\"" + filler + "\"}");
      sink.send(Events.event(1, "{\"text\":\"" + filler + "\"}"));
      sink.send(refusedByConverter);
      sink.send(refusedByDatabase);

      sink.awaitRows(1, SOON);
      assertThat(sink.deadLetters(2))
          .extracting(letter -> letter.value().length)
          .containsExactlyInAnyOrder(refusedByConverter.length(), refusedByDatabase.length());
    }
  }

  @Test
  void aRefusedRowThatIsTooLargeForTheDeadLetterProducerFailsTheTaskAndLosesNothing()
      throws Exception {
    try (TestSink sink = new TestSink(servers, "too_large_refused_row")) {
      String size = "producer.override.max.request.size";
      String enough = sink.properties.put(size, "1000000");
      String filler = "x".repeat(2_000_000);
      String refused = Events.event(1, "{\"n\":1e200000,\"text\":\"" + filler + "\"}");
      sink.send(refused);
      sink.start();

      Eventually.within(
          SOON, () -> assertThat(servers.worker.taskStates(sink.name)).contains("FAILED"));
      assertThat(servers.worker.failure(sink.name))
          .contains("The row at too_large_refused_row.audit.events-")
          .contains("none of 5 attempts to write it to the dead-letter topic was confirmed")
          .contains("the row is larger than " + size + "=1000000");
      assertThat(servers.worker.log()).contains("Could not produce message to dead letter queue");

      sink.properties.put(size, enough);
      sink.start();
      assertThat(sink.deadLetters(1))
          .extracting(letter -> letter.value().length)
          .containsExactly(refused.length());
      sink.awaitCommitted();
    }
  }

  @Test
  void aMissingTableOrColumnFailsTheTaskWithTheFixAndLosesNothing() throws Exception {
    try (TestSink sink = new TestSink(servers, "missing_table")) {
      sink.table.execute("ALTER TABLE audit.events RENAME TO elsewhere");
      sink.sendOrders(0, 10);
      sink.start();

      Eventually.within(
          SOON, () -> assertThat(servers.worker.taskStates(sink.name)).containsOnly("FAILED"));
      assertThat(servers.worker.failure(sink.name))
          .contains(
              "the table audit.events does not exist (database missing_table, user"
                  + " missing_table_writer)")
          .contains("Apply the SQL of the destination database, then restart the connector");
      assertThat(sink.deadLetters(0)).isEmpty();

      sink.table.execute("ALTER TABLE audit.elsewhere RENAME TO events");
      servers.worker.restartTasks(sink.name);
      sink.awaitRows(10, SOON);

      sink.table.execute("ALTER TABLE audit.events RENAME COLUMN context TO elsewhere");
      sink.sendOrders(10, 20);
      Eventually.within(
          SOON, () -> assertThat(servers.worker.taskStates(sink.name)).contains("FAILED"));
      assertThat(servers.worker.failure(sink.name))
          .contains("the table audit.events lacks the columns [context]");
      assertThat(sink.deadLetters(0)).isEmpty();
    }
  }

  @Test
  void aRowThatNoPartitionTakesFailsTheTaskInsteadOfFloodingTheDeadLetterTopic() throws Exception {
    try (TestSink sink = new TestSink(servers, "no_partition")) {
      sink.table.execute("DROP TABLE audit.events_default, audit.events_2026");
      sink.sendOrders(0, 10);
      sink.start();

      Eventually.within(
          SOON, () -> assertThat(servers.worker.taskStates(sink.name)).contains("FAILED"));
      assertThat(servers.worker.failure(sink.name))
          .contains("no partition of relation")
          .contains("default partition");
      assertThat(sink.deadLetters(0)).isEmpty();
    }
  }

  @Test
  void aPasswordRotatedInTheDatabaseBeforeTheSecretIsFollowedWithoutHelp() throws Exception {
    try (TestSink sink = new TestSink(servers, "rotation").start()) {
      sink.sendOrders(0, 10);
      sink.awaitRows(10, SOON);

      sink.changePasswordInDatabase("second-password");
      sink.endSessions();
      sink.sendOrders(10, 20);
      Eventually.pause(Duration.ofSeconds(3));
      assertThat(sink.table.count()).isEqualTo(10);
      sink.changePasswordInSecret("second-password");

      sink.awaitRows(20, SOON);
      assertThat(servers.worker.taskStates(sink.name)).containsOnly("RUNNING");
      assertThat(servers.worker.log()).doesNotContain("-password");
    }
  }

  @Test
  void aReadOnlyDatabaseIsWaitedForAsAfterAFailover() throws Exception {
    try (TestSink sink = new TestSink(servers, "read_only")) {
      sink.table.execute("ALTER ROLE " + sink.user + " SET default_transaction_read_only = on");
      sink.sendOrders(0, 10);
      sink.start();
      Eventually.within(
          SOON,
          () ->
              assertThat(servers.worker.log()).contains("read-only transaction (SQLSTATE 25006)"));
      sink.table.execute("ALTER ROLE " + sink.user + " RESET default_transaction_read_only");

      sink.awaitRows(10, SOON);
      assertThat(sink.deadLetters(0)).isEmpty();
    }
  }

  @Test
  void theContractsPropertiesAreAcceptedAndThoseThatWouldLoseEventsAreNot() throws Exception {
    try (TestSink sink = new TestSink(servers, "properties").start()) {
      Map<String, String> properties = new HashMap<>(sink.properties);
      properties.put("name", "properties");
      assertThat(servers.worker.errors(properties)).isEmpty();

      properties.put("insert.mode", "insert");
      properties.put("errors.deadletterqueue.topic.name", "");
      assertThat(servers.worker.errors(properties))
          .containsOnlyKeys("insert.mode", "errors.deadletterqueue.topic.name");
    }
  }

  private static String header(ConsumerRecord<byte[], byte[]> letter, String name) {
    return text(letter.headers().lastHeader(name).value());
  }

  private static String incompressible(int length) {
    return IntStream.range(0, length / 32)
        .mapToObj(index -> Events.eventId(index).replace("-", ""))
        .reduce("", String::concat);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
