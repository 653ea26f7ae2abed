package io.cdcaudit.transformer.streams;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClockWatchTest {

  /** How long the process stands still, once, right after it read the time of day. */
  private Duration pause = Duration.ZERO;

  private long millis = 1_800_000_000_000L;
  private long nanos = Long.MAX_VALUE - 1_000; // as it may be: it has no beginning, and wraps
  private int noticed;
  private final ClockWatch watch =
      new ClockWatch(this::timeOfDay, () -> nanos, () -> noticed += 1);

  @AfterEach
  void close() {
    watch.close();
  }

  @Test
  void aClockThatRunsIsLeftAlone() {
    for (int second = 0; second < 100; second++) {
      pass(Duration.ofSeconds(1));
      watch.read();
    }
    assertThat(noticed).isZero();
  }

  @Test
  void aClockThatIsSetBackIsNoticedAtTheNextReading() {
    pass(Duration.ofSeconds(1));
    watch.read();
    set(ClockWatch.TOLERATED.plusMillis(1).negated());
    pass(Duration.ofSeconds(1));
    watch.read();
    assertThat(noticed).isEqualTo(1);

    pass(Duration.ofSeconds(1));
    watch.read();
    assertThat(noticed).isEqualTo(1);
  }

  @Test
  void itIsNoticedAfterAJumpAheadTooAndAfterAnyPause() {
    set(Duration.ofDays(400));
    pass(Duration.ofSeconds(1));
    watch.read();
    assertThat(noticed).isZero();

    set(Duration.ofDays(-400));
    pass(Duration.ofMinutes(10));
    watch.read();
    assertThat(noticed).isEqualTo(1);
  }

  @Test
  void smallCorrectionsAreTolerated() {
    for (int correction = 0; correction < 10; correction++) {
      set(ClockWatch.TOLERATED.negated());
      pass(Duration.ofSeconds(1));
      watch.read();
    }
    assertThat(noticed).isZero();
  }

  @Test
  void aProcessThatStandsStillInTheMiddleOfAReadingIsNotMisled() {
    pause = Duration.ofMinutes(5);
    watch.read();
    pass(Duration.ofSeconds(1));
    watch.read();
    assertThat(noticed).isZero();
  }

  private void pass(Duration time) {
    millis += time.toMillis();
    nanos += time.toNanos();
  }

  private void set(Duration by) {
    millis += by.toMillis();
  }

  private long timeOfDay() {
    long read = millis;
    pass(pause);
    pause = Duration.ZERO;
    return read;
  }
}
