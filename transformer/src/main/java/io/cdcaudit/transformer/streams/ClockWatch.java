package io.cdcaudit.transformer.streams;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices within a second or so that the clock was set back, after which Kafka's clients and Kafka
 * Streams cannot go on: both note the time of day of what they did last, and wait from then on.
 * With a clock that was an hour ahead they connect, ask for metadata and commit only an hour later.
 * Nothing but a new process sets them right. A clock that is set forward makes them hasten, and
 * needs no help.
 */
final class ClockWatch implements AutoCloseable {

  /** So much longer they may wait; small corrections are not worth a new process. */
  static final Duration TOLERATED = Duration.ofSeconds(10);

  private static final Duration BETWEEN_READINGS = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(ClockWatch.class);

  private final LongSupplier timeOfDayMillis;
  private final LongSupplier runningNanos;
  private final Runnable onSetBack;
  private final ScheduledExecutorService readings =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "clock-watch");
            thread.setDaemon(true);
            return thread;
          });
  private Reading last;

  /**
   * Watches from now on.
   *
   * @param onSetBack run once, when the clock was set back by more than is tolerated
   */
  static ClockWatch begin(Runnable onSetBack) {
    ClockWatch watch = new ClockWatch(System::currentTimeMillis, System::nanoTime, onSetBack);
    watch.readings.scheduleWithFixedDelay(
        watch::read, BETWEEN_READINGS.toMillis(), BETWEEN_READINGS.toMillis(), TimeUnit.MILLISECONDS);
    return watch;
  }

  ClockWatch(LongSupplier timeOfDayMillis, LongSupplier runningNanos, Runnable onSetBack) {
    this.timeOfDayMillis = timeOfDayMillis;
    this.runningNanos = runningNanos;
    this.onSetBack = onSetBack;
    this.last = reading();
  }

  void read() {
    Reading now = reading();
    Duration setBack = now.setBackSince(last);
    last = now;
    if (setBack.compareTo(TOLERATED) > 0) {
      LOG.error(
          "The clock was set back by {} s, which Kafka's clients would wait for; the transformer"
              + " stops, to be started anew",
          setBack.toSeconds());
      readings.shutdown();
      onSetBack.run();
    }
  }

  @Override
  public void close() {
    readings.shutdownNow();
  }

  private Reading reading() {
    return new Reading(
        runningNanos.getAsLong(), timeOfDayMillis.getAsLong(), runningNanos.getAsLong());
  }

  /** The time of day, and what a clock that nobody sets said before and after it was asked for. */
  private record Reading(long nanosBefore, long millis, long nanosAfter) {

    /** By at least so much; a process that is stopped in the middle of a reading is not misled. */
    Duration setBackSince(Reading earlier) {
      Duration passed = Duration.ofNanos(nanosBefore - earlier.nanosAfter);
      return passed.minus(Duration.ofMillis(millis - earlier.millis));
    }
  }
}
