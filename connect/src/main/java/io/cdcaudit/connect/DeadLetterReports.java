package io.cdcaudit.connect;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The refused rows of one delivery on their way to the dead-letter topic. Connect writes the dead
 * letters; this class makes sure that each one is written before the delivery counts as done.
 */
final class DeadLetterReports {
  /** How often an event is reported if Connect does not tell what became of its dead letter. */
  private static final int REPORT_ATTEMPTS = 5;

  private final Supplier<ErrantRecordReporter> reporter;
  private final Map<String, String> properties;
  private final Duration pause;

  /** Reports that Connect has not yet confirmed. */
  private final List<Future<Void>> unconfirmed = new ArrayList<>();

  /** The rows reported so far, so that a second attempt at the delivery does not repeat them. */
  private final Set<Position> reported = new HashSet<>();

  /**
   * @param reporter gives Connect's reporter, or null if no dead-letter topic is set
   * @param properties the connector's, for error messages
   * @param pause between two reports of one event
   */
  DeadLetterReports(
      Supplier<ErrantRecordReporter> reporter, Map<String, String> properties, Duration pause) {
    this.reporter = reporter;
    this.properties = properties;
    this.pause = pause;
  }

  /**
   * Reports a refused row, unless this delivery has reported it already.
   *
   * @throws ConnectException if there is no dead-letter topic, or if it cannot be known whether the
   *     dead letter was written
   */
  void report(SinkRecord event, RefusedRowException refusal) {
    Position position = Position.of(event);
    if (!reported.add(position)) {
      return;
    }
    ErrantRecordReporter connect = reporter.get();
    if (connect == null) {
      throw new ConnectException(
          "The row at %s cannot be stored and errors.deadletterqueue.topic.name names no topic for it"
              .formatted(position),
          refusal);
    }
    unconfirmed.add(reportUntilTold(connect, event, refusal));
  }

  /**
   * Waits until all dead letters are written; then the next delivery begins. Connect waits for them
   * too, but only before it commits, and its failure does not say what to mend.
   *
   * @throws ConnectException if one could not be written
   */
  void await() {
    try {
      for (Future<Void> report : unconfirmed) {
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
    unconfirmed.clear();
    reported.clear();
  }

  /** Forgets what was reported of partitions that this task no longer reads. */
  void forget(Collection<TopicPartition> partitions) {
    reported.removeIf(position -> partitions.contains(position.partition()));
  }

  /**
   * Returns a report whose future tells whether the dead letter was written.
   *
   * <p>Connect's own future tells it if the dead letter is still on its way when Connect looks. If
   * the send is over by then, Connect drops that future and returns a plain one that always
   * succeeds. A send is hardly ever over so soon unless it failed, so the event is reported again.
   * A dead letter that is written twice does no harm: both name its topic, partition and offset.
   */
  private Future<Void> reportUntilTold(
      ErrantRecordReporter connect, SinkRecord event, RefusedRowException refusal) {
    Future<Void> report = connect.report(event, refusal);
    for (int attempt = 1; tellsNothing(report); attempt++) {
      if (attempt == REPORT_ATTEMPTS) {
        throw neverTold(event, refusal);
      }
      pauseBeforeReport();
      report = connect.report(event, refusal);
    }
    return report;
  }

  private static boolean tellsNothing(Future<Void> report) {
    // A report of Connect's own class may be done as well, but it has kept the result.
    return report instanceof CompletableFuture<?> && report.isDone();
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

  private void pauseBeforeReport() {
    try {
      Thread.sleep(pause.toMillis());
    } catch (InterruptedException error) {
      throw stopped(error);
    }
  }

  private static ConnectException stopped(InterruptedException error) {
    Thread.currentThread().interrupt();
    return new ConnectException("Stopped while writing to the dead-letter topic", error);
  }
}
