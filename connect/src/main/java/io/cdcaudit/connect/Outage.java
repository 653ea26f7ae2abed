package io.cdcaudit.connect;

import java.time.Duration;
import java.util.function.LongSupplier;

/** A series of failed attempts to store events, from the first to the one that succeeds. */
final class Outage {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);

  private final LongSupplier milliseconds;
  private final long start;
  private int attempts;
  private Failure.Kind kind;
  private long sinceKind;

  /** Starts now. The clock must never go back. */
  Outage(LongSupplier milliseconds) {
    this.milliseconds = milliseconds;
    this.start = milliseconds.getAsLong();
  }

  /** Counts a failed attempt. Returns true if it failed in another way than the attempt before. */
  boolean attemptFailed(Failure.Kind newKind) {
    attempts++;
    boolean changed = newKind != kind;
    if (changed) {
      kind = newKind;
      sinceKind = milliseconds.getAsLong();
    }
    return changed;
  }

  /** How long the database has refused the sink. Zero while the database is away. */
  Duration refusedFor() {
    return kind == Failure.Kind.REFUSED
        ? Duration.ofMillis(milliseconds.getAsLong() - sinceKind)
        : Duration.ZERO;
  }

  /** The pause before the next attempt. It doubles with each attempt, up to the longest. */
  Duration pause(Duration longest) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(attempts - 1, 16));
    return pause.compareTo(longest) < 0 ? pause : longest;
  }

  @Override
  public String toString() {
    return "after %d s and %d failed attempts"
        .formatted((milliseconds.getAsLong() - start) / 1000, attempts);
  }
}
