package io.cdcaudit.connect;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;
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
 * topic: then Connect may commit its offsets. Or the database is away: then the writer is dropped,
 * and Connect delivers the same events again after a pause; what a broken commit did store is
 * stored again without effect. Or a person has to act: then the task fails and says why. Nothing is
 * kept between deliveries, so no offset is committed ahead of its data.
 */
public final class AuditSinkTask extends SinkTask {
  private static final Logger log = LoggerFactory.getLogger(AuditSinkTask.class);

  private final EventWriter.Opener opener;
  private final LongSupplier milliseconds;

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

  private record Position(TopicPartition partition, long offset) {
    static Position of(SinkRecord event) {
      return new Position(
          new TopicPartition(event.originalTopic(), event.originalKafkaPartition()),
          event.originalKafkaOffset());
    }

    @Override
    public String toString() {
      return partition + " offset " + offset;
    }
  }

  /** For Kafka Connect. */
  public AuditSinkTask() {
    this(DebeziumWriter::open, () -> System.nanoTime() / 1_000_000);
  }

  AuditSinkTask(EventWriter.Opener opener, LongSupplier milliseconds) {
    this.opener = opener;
    this.milliseconds = milliseconds;
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
      store(List.copyOf(events));
      awaitReports();
    }
    if (outage != null) {
      log.info("The database takes audit events again, {}.", outage);
      outage = null;
    }
  }

  @Override
  public void close(Collection<TopicPartition> partitions) {
    reported.removeIf(position -> partitions.contains(position.partition));
  }

  @Override
  public void stop() {
    if (writer != null) {
      writer.close();
      writer = null;
    }
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
      report(events.get(0), failure);
      return;
    }
    int middle = events.size() / 2;
    store(events.subList(0, middle));
    store(events.subList(middle, events.size()));
  }

  private void report(SinkRecord event, Failure failure) {
    Position position = Position.of(event);
    if (!reported.add(position)) {
      return;
    }
    RefusedRowException refusal = new RefusedRowException(failure.reason());
    ErrantRecordReporter reporter = context.errantRecordReporter();
    if (reporter == null) {
      throw new ConnectException(
          "The row at %s cannot be stored and errors.deadletterqueue.topic.name names no topic for it"
              .formatted(position),
          refusal);
    }
    reports.add(reporter.report(event, refusal));
  }

  /**
   * Connect itself would go on after a report that fails at once, for example because the row is
   * too large.
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
      Thread.currentThread().interrupt();
      throw new ConnectException("Stopped while writing to the dead-letter topic", error);
    }
    reports.clear();
    reported.clear();
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
