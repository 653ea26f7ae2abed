package io.cdcaudit.connect;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores audit events, outlives the database, and isolates the rows that it refuses.
 *
 * <p>A delivery ends in one of three ways. It is stored, with any refused row in the dead-letter
 * topic: then its offsets may be committed. Or the database is away: then the writer is dropped,
 * and Connect delivers the same events again after a pause; what a broken commit did store is
 * stored again without effect. Or a person has to act: then the task fails and says why. No event
 * is kept between deliveries.
 *
 * <p>Which offsets may be committed only this task knows. Connect 3.7 remembers the end of a
 * delivery that failed, and takes it for stored when another succeeds after a rebalance.
 */
public final class AuditSinkTask extends SinkTask {
  private static final Logger log = LoggerFactory.getLogger(AuditSinkTask.class);

  /** How often an event is reported whose dead letter Connect tells nothing of. */
  private static final int REPORT_ATTEMPTS = 5;

  private final EventWriter.Opener opener;
  private final LongSupplier milliseconds;
  private final Duration reportPause;

  private Map<String, String> properties;
  private AuditSinkConfig config;
  private EventWriter writer;
  private Outage outage;

  /** Reports of this delivery on their way to the dead-letter topic. */
  private final List<Future<Void>> reports = new ArrayList<>();

  /**
   * Rows of this delivery that were reported, so that a second attempt does not report them twice.
   */
  private final Set<Position> reported = new HashSet<>();

  /** Behind the last event of each partition that was stored or set aside since it was opened. */
  private final Map<TopicPartition, Long> done = new HashMap<>();

  private record Position(TopicPartition partition, long offset) {
    static Position of(SinkRecord event) {
      return new Position(partitionOf(event), event.originalKafkaOffset());
    }

    @Override
    public String toString() {
      return partition + " offset " + offset;
    }
  }

  /** For Kafka Connect. */
  public AuditSinkTask() {
    this(DebeziumWriter::open, () -> System.nanoTime() / 1_000_000, Duration.ofSeconds(1));
  }

  AuditSinkTask(EventWriter.Opener opener, LongSupplier milliseconds, Duration reportPause) {
    this.opener = opener;
    this.milliseconds = milliseconds;
    this.reportPause = reportPause;
  }

  @Override
  public String version() {
    return AuditSinkConfig.version();
  }

  /**
   * Does not connect: an exception here fails the task, and the database may be away for a moment.
   */
  @Override
  public void start(Map<String, String> taskProperties) {
    properties = Map.copyOf(taskProperties);
    config = AuditSinkConfig.of(properties);
  }

  /**
   * Connects at the first delivery, even an empty one, so that a wrong setting shows before the
   * first event.
   */
  @Override
  public void put(Collection<SinkRecord> events) {
    if (writer == null) {
      connect();
    }
    if (!events.isEmpty()) {
      store(withoutRefused(events));
      awaitReports();
      events.forEach(event -> done.put(partitionOf(event), event.originalKafkaOffset() + 1));
    }
    if (outage != null) {
      log.info("The database takes audit events again, {}.", outage);
      outage = null;
    }
  }

  /** Commits no more than what was stored or set aside, whatever Connect believes. */
  @Override
  public Map<TopicPartition, OffsetAndMetadata> preCommit(
      Map<TopicPartition, OffsetAndMetadata> delivered) {
    Map<TopicPartition, OffsetAndMetadata> committable = new HashMap<>();
    for (TopicPartition partition : delivered.keySet()) {
      Long end = done.get(partition);
      if (end != null) {
        committable.put(partition, new OffsetAndMetadata(end));
      }
    }
    return committable;
  }

  @Override
  public void close(Collection<TopicPartition> partitions) {
    reported.removeIf(position -> partitions.contains(position.partition));
    done.keySet().removeAll(partitions);
  }

  @Override
  public void stop() {
    if (writer != null) {
      writer.close();
      writer = null;
    }
  }

  private static TopicPartition partitionOf(SinkRecord event) {
    return new TopicPartition(event.originalTopic(), event.originalKafkaPartition());
  }

  /** Reports what the converter refused, and returns the rest. */
  private List<SinkRecord> withoutRefused(Collection<SinkRecord> events) {
    List<SinkRecord> accepted = new ArrayList<>(events.size());
    for (SinkRecord event : events) {
      if (event.value() instanceof RefusedEvent refused) {
        report(event, RefusedRowException.byTheConverter(refused));
      } else {
        accepted.add(event);
      }
    }
    return accepted;
  }

  private void connect() {
    try {
      writer = opener.open(properties);
    } catch (SQLException | RuntimeException error) {
      throw interruption(error, Failure.of(error));
    }
  }

  /**
   * Stores the events in one transaction; when a row spoils it, in two halves, until that row
   * stands alone.
   */
  private void store(List<SinkRecord> events) {
    if (events.isEmpty()) {
      return;
    }
    try {
      writer.write(events);
    } catch (RuntimeException error) {
      Failure failure = Failure.of(error);
      if (failure.kind() != Failure.Kind.DATA) {
        throw interruption(error, failure);
      }
      isolate(events, failure);
    }
  }

  private void isolate(List<SinkRecord> events, Failure failure) {
    if (events.size() == 1) {
      report(events.get(0), RefusedRowException.byTheDatabase(failure));
      return;
    }
    int middle = events.size() / 2;
    store(events.subList(0, middle));
    store(events.subList(middle, events.size()));
  }

  private void report(SinkRecord event, RefusedRowException refusal) {
    Position position = Position.of(event);
    if (!reported.add(position)) {
      return;
    }
    ErrantRecordReporter reporter = context.errantRecordReporter();
    if (reporter == null) {
      throw new ConnectException(
          "The row at %s cannot be stored and errors.deadletterqueue.topic.name names no topic for it"
              .formatted(position),
          refusal);
    }
    reports.add(reportUntilTold(reporter, event, refusal));
  }

  /**
   * Returns a report whose future tells whether the dead letter was written.
   *
   * <p>Connect's own does if the dead letter is still on its way when Connect looks. If its send is
   * over by then, which hardly happens unless it failed, Connect drops that future and returns a
   * plain one that is always a success. Then the event is reported again: a dead letter that is
   * there twice does no harm, as both name its topic, partition and offset.
   */
  private Future<Void> reportUntilTold(
      ErrantRecordReporter reporter, SinkRecord event, RefusedRowException refusal) {
    Future<Void> report = reporter.report(event, refusal);
    for (int attempt = 1; tellsNothing(report); attempt++) {
      if (attempt == REPORT_ATTEMPTS) {
        throw neverTold(event, refusal);
      }
      pauseBeforeReport();
      report = reporter.report(event, refusal);
    }
    return report;
  }

  private ConnectException neverTold(SinkRecord event, RefusedRowException refusal) {
    return new ConnectException(
        ("The row at %s cannot be stored, and none of %d attempts to write it to the dead-letter"
                + " topic was confirmed. The worker's log says why, after \"Could not produce"
                + " message to dead letter queue\": the row is larger than %s or %s, or the brokers"
                + " refused the worker's authentication or its writing to the topic, or the"
                + " producer's buffer stayed full. Mend that, then restart the task")
            .formatted(
                Position.of(event),
                REPORT_ATTEMPTS,
                setting("producer.override.max.request.size"),
                setting("producer.override.buffer.memory")),
        refusal);
  }

  private String setting(String name) {
    String value = properties.get(name);
    return value == null ? name + " (not set)" : name + "=" + value;
  }

  private static boolean tellsNothing(Future<Void> report) {
    // A report of Connect's own class may be done as well, but has kept what became of it.
    return report instanceof CompletableFuture<?> && report.isDone();
  }

  private void pauseBeforeReport() {
    try {
      Thread.sleep(reportPause.toMillis());
    } catch (InterruptedException error) {
      throw stopped(error);
    }
  }

  /**
   * Until its dead letter is written an event is not done. Connect waits for it too, but only
   * before it commits, and its failure does not say what to mend.
   */
  private void awaitReports() {
    try {
      for (Future<Void> report : reports) {
        report.get();
      }
    } catch (ExecutionException error) {
      throw new ConnectException(
          "A refused row could not be written to the dead-letter topic: "
              + error.getCause().getMessage()
              + ". Check that the topic exists, that the worker may write to it, and that its"
              + " max.message.bytes and the connector's producer.override.max.request.size admit"
              + " the row; then restart the task",
          error);
    } catch (InterruptedException error) {
      throw stopped(error);
    }
    reports.clear();
    reported.clear();
  }

  private static ConnectException stopped(InterruptedException error) {
    Thread.currentThread().interrupt();
    return new ConnectException("Stopped while writing to the dead-letter topic", error);
  }

  /**
   * Drops the writer; the exception either makes Connect deliver again after a pause, or fails the
   * task.
   */
  private ConnectException interruption(Exception error, Failure failure) {
    stop();
    if (failure.kind() == Failure.Kind.FATAL) {
      return new ConnectException("The audit sink cannot go on: " + failure.reason(), error);
    }
    if (outage == null) {
      outage = new Outage(milliseconds);
    }
    boolean changed = outage.attemptFailed(failure.kind());
    if (outage.refusedFor().compareTo(config.patience()) > 0) {
      return new ConnectException(
          "The audit sink has been refused for %d s: %s"
              .formatted(outage.refusedFor().toSeconds(), failure.reason()),
          error);
    }
    if (changed) {
      log.warn("Audit events wait: {}. The sink tries again by itself.", failure.reason());
    }
    context.timeout(outage.pause(config.longestPause()).toMillis());
    return new DatabaseAwayException(failure.reason());
  }
}
