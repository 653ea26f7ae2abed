package io.cdcaudit.connect;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores audit events, outlives the database, and isolates the rows that it refuses.
 *
 * <p>A delivery ends in one of three ways:
 *
 * <ul>
 *   <li>It is stored, and every refused row is in the dead-letter topic ({@link
 *       DeadLetterReports}). Then its offsets may be committed ({@link Progress}).
 *   <li>The database is away. Then the writer is dropped, and Connect delivers the same events
 *       again after a pause. Events that a broken commit did store are stored again without effect.
 *   <li>A person has to act. Then the task fails and says why.
 * </ul>
 *
 * <p>No event is kept between deliveries.
 */
public final class AuditSinkTask extends SinkTask {
  private static final Logger log = LoggerFactory.getLogger(AuditSinkTask.class);

  private final EventWriter.Opener opener;
  private final LongSupplier milliseconds;
  private final Duration reportPause;
  private final Progress progress = new Progress();

  private Map<String, String> properties;
  private AuditSinkConfig config;
  private EventWriter writer;
  private DeadLetterReports deadLetters;
  private Outage outage;

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
    deadLetters = new DeadLetterReports(context::errantRecordReporter, properties, reportPause);
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
      deadLetters.await();
      progress.add(events);
    }
    if (outage != null) {
      log.info("The database takes audit events again, {}.", outage);
      outage = null;
    }
  }

  /** Commits the offsets of events that were stored or set aside, and no others. */
  @Override
  public Map<TopicPartition, OffsetAndMetadata> preCommit(
      Map<TopicPartition, OffsetAndMetadata> delivered) {
    return progress.committable(delivered.keySet());
  }

  @Override
  public void close(Collection<TopicPartition> partitions) {
    deadLetters.forget(partitions);
    progress.forget(partitions);
  }

  @Override
  public void stop() {
    if (writer != null) {
      writer.close();
      writer = null;
    }
  }

  /** Reports the events that the converter refused, and returns the others. */
  private List<SinkRecord> withoutRefused(Collection<SinkRecord> events) {
    List<SinkRecord> accepted = new ArrayList<>(events.size());
    for (SinkRecord event : events) {
      if (event.value() instanceof RefusedEvent refused) {
        deadLetters.report(event, RefusedRowException.byTheConverter(refused));
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
   * Stores the events in one transaction. If a row is refused, stores them in two halves instead,
   * until that row is alone.
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
      deadLetters.report(events.get(0), RefusedRowException.byTheDatabase(failure));
      return;
    }
    int middle = events.size() / 2;
    store(events.subList(0, middle));
    store(events.subList(middle, events.size()));
  }

  /**
   * Drops the writer. The returned exception either makes Connect deliver again after a pause, or
   * fails the task.
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
