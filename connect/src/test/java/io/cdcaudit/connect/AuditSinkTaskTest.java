package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cdcaudit.connect.fixture.Events;
import io.cdcaudit.connect.fixture.WorkerReporter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTaskContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The task between a database and a worker that do as the test says. */
class AuditSinkTaskTest {
  private static final SQLException AWAY =
      new SQLException("the database system is shutting down", "57P03");
  private static final SQLException WRONG_PASSWORD =
      new SQLException("password authentication failed", "28P01");

  private static final TopicPartition PARTITION = new TopicPartition("audit.events", 0);

  private final FakeDatabase database = new FakeDatabase();
  private final FakeWorker worker = new FakeWorker();
  private long milliseconds;
  private final AuditSinkTask task =
      new AuditSinkTask(database::open, () -> milliseconds, Duration.ZERO);

  @BeforeEach
  void startTask() {
    task.initialize(worker);
    task.start(
        Map.of(
            "retry.pause.max.ms", "10000",
            "retry.refused.timeout.ms", "300000",
            "producer.override.max.request.size", "1000000"));
  }

  @Test
  void aDeliveryIsStoredInOneWriteOverOneConnection() {
    task.put(events(0, 3_000));
    task.put(events(3_000, 3_010));

    assertThat(database.stored).hasSize(3_010);
    assertThat(database.writes).isEqualTo(2);
    assertThat(database.opened).isEqualTo(1);
  }

  @Test
  void itConnectsAtTheFirstDeliveryEvenAnEmptyOneAndNeverAtTheStart() {
    assertThat(database.opened).isZero();
    task.put(List.of());
    assertThat(database.opened).isEqualTo(1);
  }

  @Test
  void aRefusedRowIsReportedAloneAndAllOthersAreStored() {
    database.refused.add(1_234L);

    task.put(events(0, 3_000));

    assertThat(database.stored).hasSize(2_999).doesNotContain(1_234L);
    assertThat(worker.reported).containsExactly(1_234L);
    assertThat(worker.reasons)
        .containsExactly("The database refused the row: value out of range (SQLSTATE 22003)");
    assertThat(database.writes).isLessThan(30);
  }

  @Test
  void aDeliveryOfRefusedRowsOnlyIsReportedWhole() {
    database.refused.addAll(IntStream.range(0, 100).mapToObj(Long::valueOf).toList());

    task.put(events(0, 100));

    assertThat(database.stored).isEmpty();
    assertThat(worker.reported).hasSize(100).doesNotHaveDuplicates();
  }

  @Test
  void whenTheConnectionIsLostWhileARowIsIsolatedTheRowIsReportedOnce() {
    database.refused.add(0L);
    database.failAtWrite.put(6, AWAY);

    assertThatThrownBy(() -> task.put(events(0, 8))).isInstanceOf(RetriableException.class);
    assertThat(worker.reported).containsExactly(0L);
    task.put(events(0, 8));

    assertThat(worker.reported).containsExactly(0L);
    assertThat(database.stored).containsExactlyInAnyOrder(1L, 2L, 3L, 4L, 5L, 6L, 7L);
  }

  @Test
  void aRowThatIsDeliveredAgainAfterItsPartitionWentElsewhereIsReportedAgain() {
    database.refused.add(0L);
    database.failAtWrite.put(6, AWAY);
    assertThatThrownBy(() -> task.put(events(0, 8))).isInstanceOf(RetriableException.class);

    task.close(List.of(PARTITION));
    task.put(events(0, 8));

    assertThat(worker.reported).containsExactly(0L, 0L);
  }

  @Test
  void whileTheDatabaseIsAwayItAsksForTheSameEventsAgainAfterEverLongerPausesAndANewConnection() {
    task.put(events(0, 10));
    database.failAtWrite.put(2, AWAY);
    database.openFailures.addAll(List.of(AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY));

    for (int attempt = 0; attempt < 8; attempt++) {
      assertThatThrownBy(() -> task.put(events(10, 20)))
          .isInstanceOf(RetriableException.class)
          .hasMessageContaining("57P03");
      assertThat(database.open).isZero();
    }
    task.put(events(10, 20));

    assertThat(worker.pauses)
        .containsExactly(250L, 500L, 1_000L, 2_000L, 4_000L, 8_000L, 10_000L, 10_000L);
    assertThat(database.stored).hasSize(20);
    assertThat(database.open).isEqualTo(1);
  }

  @Test
  void pausesAreShortAgainAfterAnOutageIsOver() {
    for (int outage = 0; outage < 2; outage++) {
      database.openFailures.add(AWAY);
      assertThatThrownBy(() -> task.put(events(0, 1))).isInstanceOf(RetriableException.class);
      task.put(events(0, 1));
      task.stop();
    }
    assertThat(worker.pauses).containsExactly(250L, 250L);
  }

  @Test
  void anOutageOfManyHoursIsOutlived() {
    database.openFailures.addAll(List.of(AWAY, AWAY));
    assertThatThrownBy(() -> task.put(events(0, 1))).isInstanceOf(RetriableException.class);
    milliseconds += 48 * 3_600_000L;
    assertThatThrownBy(() -> task.put(events(0, 1))).isInstanceOf(RetriableException.class);
    task.put(events(0, 1));
    assertThat(database.stored).containsExactly(0L);
  }

  @Test
  void aRefusalIsWaitedForAsLongAsARotationTakesAndThenFailsTheTask() {
    database.openFailures.addAll(List.of(WRONG_PASSWORD, WRONG_PASSWORD, WRONG_PASSWORD));
    assertThatThrownBy(() -> task.put(List.of())).isInstanceOf(RetriableException.class);
    milliseconds += 300_000;
    assertThatThrownBy(() -> task.put(List.of())).isInstanceOf(RetriableException.class);
    milliseconds += 1_000;
    assertThatThrownBy(() -> task.put(List.of()))
        .isInstanceOf(ConnectException.class)
        .isNotInstanceOf(RetriableException.class)
        .hasMessage(
            "The audit sink has been refused for 301 s: password authentication failed (SQLSTATE"
                + " 28P01)");
  }

  @Test
  void timeInWhichTheDatabaseWasAwayDoesNotCountAsRefusal() {
    database.openFailures.addAll(List.of(WRONG_PASSWORD, AWAY, WRONG_PASSWORD));
    for (int attempt = 0; attempt < 3; attempt++) {
      assertThatThrownBy(() -> task.put(List.of())).isInstanceOf(RetriableException.class);
      milliseconds += 299_000;
    }
    task.put(List.of());
    assertThat(database.opened).isEqualTo(1);
  }

  @Test
  void whatAPersonMustMendFailsTheTaskAndSendsNothingToTheDeadLetterTopic() {
    database.failAtWrite.put(1, new SQLException("permission denied for table events", "42501"));

    assertThatThrownBy(() -> task.put(events(0, 10)))
        .isInstanceOf(ConnectException.class)
        .isNotInstanceOf(RetriableException.class)
        .hasMessageContaining(
            "permission denied for table events (SQLSTATE 42501). Grant the sink's user USAGE");
    assertThat(worker.reported).isEmpty();
    assertThat(database.open).isZero();
  }

  @Test
  void withoutADeadLetterTopicARefusedRowFailsTheTaskAndSaysWhichItIs() {
    worker.hasReporter = false;
    database.refused.add(3L);

    assertThatThrownBy(() -> task.put(events(0, 10)))
        .isInstanceOf(ConnectException.class)
        .hasMessageContaining("audit.events-0 offset 3")
        .hasMessageContaining("errors.deadletterqueue.topic.name");
  }

  @Test
  void aReportThatTheBrokerTurnsDownFailsTheTaskInsteadOfLosingTheRow() {
    worker.deadLetters.add(Send.later(new RecordTooLargeException("larger than the server takes")));
    database.refused.add(3L);

    assertThatThrownBy(() -> task.put(events(0, 10)))
        .isInstanceOf(ConnectException.class)
        .hasMessageContaining(
            "could not be written to the dead-letter topic: larger than the server takes")
        .hasMessageContaining("max.message.bytes");
    assertThat(worker.reported).containsExactly(3L);
    assertThat(committable()).isNull();
  }

  @Test
  void aReportThatTheProducerTurnsDownAtOnceFailsTheTaskAfterSomeAttemptsInsteadOfLosingTheRow() {
    for (int attempt = 0; attempt < 5; attempt++) {
      worker.deadLetters.add(Send.atOnce(new RecordTooLargeException("2000000 bytes")));
    }
    database.refused.add(3L);

    assertThatThrownBy(() -> task.put(events(0, 10)))
        .isInstanceOf(ConnectException.class)
        .isNotInstanceOf(RetriableException.class)
        .hasMessageContaining("The row at audit.events-0 offset 3 cannot be stored")
        .hasMessageContaining("none of 5 attempts to write it to the dead-letter topic")
        .hasMessageContaining("larger than producer.override.max.request.size=1000000 or")
        .hasMessageContaining("producer.override.buffer.memory (not set)")
        .hasMessageContaining("authentication")
        .hasRootCauseMessage(
            "The database refused the row: value out of range (SQLSTATE 22003)");
    assertThat(worker.reported).containsExactly(3L, 3L, 3L, 3L, 3L);
    assertThat(committable()).isNull();
  }

  @Test
  void aReportThatFailsAtOnceForAMomentIsRepeatedUntilItIsWritten() {
    worker.deadLetters.add(Send.atOnce(new SaslAuthenticationException("Too many connects")));
    worker.deadLetters.add(Send.atOnce(new SaslAuthenticationException("Too many connects")));
    database.refused.add(3L);

    task.put(events(0, 10));

    assertThat(worker.reported).containsExactly(3L, 3L, 3L);
    assertThat(database.stored).hasSize(9).doesNotContain(3L);
    assertThat(committable()).isEqualTo(10);
  }

  @Test
  void aReportThatIsWrittenBeforeConnectLooksIsDoubledAndFailsNothing() {
    worker.deadLetters.add(Send.atOnce(null));
    database.refused.add(3L);

    task.put(events(0, 10));

    assertThat(worker.reported).containsExactly(3L, 3L);
    assertThat(committable()).isEqualTo(10);
  }

  @Test
  void aReportThatIsWrittenAfterConnectLookedAndBeforeTheTaskDoesIsNotDoubled() {
    worker.answersOnReturn = true;
    database.refused.add(3L);

    task.put(events(0, 10));

    assertThat(worker.reported).containsExactly(3L);
    assertThat(committable()).isEqualTo(10);
  }

  @Test
  void anEventThatTheConverterRefusedIsSetAsideAndItsNeighboursAreStored() {
    List<SinkRecord> events = new ArrayList<>(events(0, 10));
    events.set(4, refused(4));

    task.put(events);

    assertThat(database.stored).hasSize(9).doesNotContain(4L);
    assertThat(worker.reported).containsExactly(4L);
    assertThat(worker.reasons).containsExactly("Audit event refused: it is no event.");
    assertThat(committable()).isEqualTo(10);
  }

  @Test
  void anEventThatTheConverterRefusedAndThatCannotBeSetAsideFailsTheTask() {
    for (int attempt = 0; attempt < 5; attempt++) {
      worker.deadLetters.add(Send.atOnce(new RecordTooLargeException("2000000 bytes")));
    }

    assertThatThrownBy(() -> task.put(List.of(refused(0))))
        .isInstanceOf(ConnectException.class)
        .hasMessageContaining("none of 5 attempts to write it to the dead-letter topic");
    assertThat(committable()).isNull();
  }

  @Test
  void onlyWhatWasStoredIsCommitted() {
    assertThat(committable()).isNull();
    task.put(events(0, 100));
    assertThat(committable()).isEqualTo(100);
    database.failAtWrite.put(2, AWAY);
    assertThatThrownBy(() -> task.put(events(100, 600))).isInstanceOf(RetriableException.class);
    assertThat(committable()).isEqualTo(100);

    // The group is rebalanced, the partition comes back, and an empty delivery goes well: Connect
    // now takes the 600 events for stored.
    task.close(List.of(PARTITION));
    task.put(List.of());
    assertThat(committable()).isNull();

    task.put(events(100, 600));
    assertThat(committable()).isEqualTo(600);
  }

  @Test
  void stoppingClosesTheConnection() {
    task.put(events(0, 1));
    task.stop();
    task.stop();
    assertThat(database.open).isZero();
  }

  /** What the task commits of partition 0 when Connect believes that 600 events were delivered. */
  private Long committable() {
    OffsetAndMetadata offset =
        task.preCommit(Map.of(PARTITION, new OffsetAndMetadata(600))).get(PARTITION);
    return offset == null ? null : offset.offset();
  }

  private static SinkRecord refused(int offset) {
    RefusedEvent event = new RefusedEvent("Audit event refused: it is no event.");
    return new SinkRecord("audit.events", 0, null, null, null, event, offset);
  }

  /** Events at consecutive offsets of one partition; the offset serves as name. */
  private static List<SinkRecord> events(int first, int end) {
    AuditEventConverter converter = new AuditEventConverter();
    return IntStream.range(first, end)
        .mapToObj(
            offset ->
                new SinkRecord(
                    "audit.events",
                    0,
                    null,
                    null,
                    AuditEventConverter.SCHEMA,
                    converter
                        .toConnectData("audit.events", Events.order(offset).getBytes())
                        .value(),
                    offset))
        .toList();
  }

  private static final class FakeDatabase {
    final Set<Long> stored = new HashSet<>();
    final Set<Long> refused = new HashSet<>();
    final Map<Integer, SQLException> failAtWrite = new HashMap<>();
    final List<SQLException> openFailures = new ArrayList<>();
    int opened;
    int open;
    int writes;

    EventWriter open(Map<String, String> properties) throws SQLException {
      if (!openFailures.isEmpty()) {
        throw openFailures.remove(0);
      }
      opened++;
      open++;
      return new EventWriter() {
        @Override
        public void write(Collection<SinkRecord> records) {
          writes++;
          List<Long> offsets = records.stream().map(SinkRecord::kafkaOffset).toList();
          if (failAtWrite.containsKey(writes)) {
            throw new ConnectException("Failed to flush", failAtWrite.get(writes));
          }
          if (offsets.stream().anyMatch(refused::contains)) {
            throw new ConnectException(
                "Failed to flush", new SQLException("value out of range", "22003"));
          }
          stored.addAll(offsets);
        }

        @Override
        public void close() {
          open--;
        }
      };
    }
  }

  /** A record on its way to the dead-letter topic until it is awaited, if not over at once. */
  private static final class Send extends CompletableFuture<RecordMetadata> {
    private final Exception failure;

    private Send(Exception failure) {
      this.failure = failure;
    }

    static Send later(Exception failure) {
      return new Send(failure);
    }

    static Send atOnce(Exception failure) {
      Send send = new Send(failure);
      send.answer();
      return send;
    }

    void answer() {
      if (failure == null) {
        complete(null);
      } else {
        completeExceptionally(failure);
      }
    }

    @Override
    public RecordMetadata get() throws InterruptedException, ExecutionException {
      answer();
      return super.get();
    }
  }

  private static final class FakeWorker implements SinkTaskContext {
    final List<Long> reported = new ArrayList<>();
    final List<String> reasons = new ArrayList<>();
    final List<Long> pauses = new ArrayList<>();
    boolean hasReporter = true;

    /** What becomes of the next dead letters; those that follow are written after a moment. */
    final Queue<Send> deadLetters = new ArrayDeque<>();

    /** Whether that moment is over when the report returns. */
    boolean answersOnReturn;

    private Send lastSend;
    private final WorkerReporter reporter = new WorkerReporter(this::send);

    @Override
    public ErrantRecordReporter errantRecordReporter() {
      return hasReporter ? this::report : null;
    }

    private Future<Void> report(SinkRecord event, Throwable error) {
      reported.add(event.kafkaOffset());
      reasons.add(error.getMessage());
      Future<Void> report = reporter.report(event, error);
      if (answersOnReturn) {
        lastSend.answer();
      }
      return report;
    }

    private Future<RecordMetadata> send() {
      lastSend = deadLetters.isEmpty() ? Send.later(null) : deadLetters.remove();
      return lastSend;
    }

    @Override
    public void timeout(long pause) {
      pauses.add(pause);
    }

    @Override
    public Map<String, String> configs() {
      return Map.of();
    }

    @Override
    public void offset(Map<TopicPartition, Long> offsets) {
      throw new UnsupportedOperationException("The sink never rewinds");
    }

    @Override
    public void offset(TopicPartition partition, long offset) {
      throw new UnsupportedOperationException("The sink never rewinds");
    }

    @Override
    public Set<TopicPartition> assignment() {
      return Set.of();
    }

    @Override
    public void pause(TopicPartition... partitions) {
      throw new UnsupportedOperationException("Connect pauses, not the sink");
    }

    @Override
    public void resume(TopicPartition... partitions) {
      throw new UnsupportedOperationException("Connect resumes, not the sink");
    }

    @Override
    public void requestCommit() {
      throw new UnsupportedOperationException("Connect decides when to commit");
    }
  }
}
