package io.cdcaudit.transformer.streams;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices within about a second that the clock was set back, after which only a new process helps.
 * Kafka's clients and Kafka Streams remember the time of day of their last action, and wait until
 * that time has passed again. If the clock was an hour ahead, they connect, ask for metadata and
 * commit only an hour later.
 *
 * <p>A clock that is set forward only makes them act sooner, so nothing is done about it.
 */
final class ClockWatch implements AutoCloseable {

  /** How much longer they may wait. A new process for each small correction would cost more. */
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
        watch::read,
        BETWEEN_READINGS.toMillis(),
        BETWEEN_READINGS.toMillis(),
        TimeUnit.MILLISECONDS);
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
              + " stops, so that it is started again",
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

  /** The time of day, and the readings of a steady clock before and after it. */
  private record Reading(long nanosBefore, long millis, long nanosAfter) {

    /**
     * The least by which the clock was set back. A process that is stopped during a reading does
     * not mislead it.
     */
    Duration setBackSince(Reading earlier) {
      Duration passed = Duration.ofNanos(nanosBefore - earlier.nanosAfter);
      return passed.minus(Duration.ofMillis(millis - earlier.millis));
    }
  }
}
