package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.topology.OversizedEvents;
import io.cdcaudit.transformer.topology.TopicReplacedException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces a thread that died, because brokers do fail. It gives up, which ends the process, if
 * threads keep dying for a reason that does not pass by itself: endless replacements would hide the
 * trouble.
 */
final class StreamsFailures implements StreamsUncaughtExceptionHandler {

  static final int MOST_REPLACEMENTS = 5;
  static final Duration WITHIN = Duration.ofMinutes(10);

  /** A new thread opens new connections, of which the brokers have too many already. */
  static final Duration AFTER_TOO_MANY_CONNECTS = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(StreamsFailures.class);

  private final Clock clock;
  private final String rawTopic;
  private final OversizedEvents oversized;
  private final Sleeper sleeper;
  private int oversizedBefore;
  private final Deque<Instant> replacements = new ArrayDeque<>();

  StreamsFailures(Clock clock, String rawTopic, OversizedEvents oversized) {
    this(clock, rawTopic, oversized, Sleeper.SYSTEM);
  }

  StreamsFailures(Clock clock, String rawTopic, OversizedEvents oversized, Sleeper sleeper) {
    this.clock = clock;
    this.rawTopic = rawTopic;
    this.oversized = oversized;
    this.sleeper = sleeper;
  }

  @Override
  public synchronized StreamThreadExceptionResponse handle(Throwable failure) {
    if (hasCause(failure, MissingSourceTopicException.class)) {
      LOG.error(
          "Topic \"{}\" (AUDIT_TOPICS_RAW) does not exist any more; the transformer stops",
          rawTopic,
          failure);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }
    if (hasCause(failure, TopicReplacedException.class)) {
      LOG.error(
          "Topic \"{}\" (AUDIT_TOPICS_RAW) was deleted and made again; the transformer ends, and"
              + " its successor reads the new one",
          rawTopic,
          failure);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }
    if (hasCause(failure, RecordTooLargeException.class) && oversized.count() > oversizedBefore) {
      oversizedBefore = oversized.count();
      // The record comes again and then goes to the dead letters, so this ends by itself.
      LOG.warn("A broker refused an audit event as too large; its thread is replaced", failure);
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    }
    if (hasCause(failure, RetriableException.class)) {
      // It goes on for as long as brokers are away. The alarm on the lag tells a person.
      LOG.warn("The brokers did not answer in time; the thread is replaced", failure);
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    }
    if (TooManyConnects.caused(failure)) {
      LOG.warn(
          "The brokers had too many connections at once; the thread is replaced in {} s",
          AFTER_TOO_MANY_CONNECTS.toSeconds(),
          failure);
      waitForConnections();
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    }
    Instant now = clock.instant();
    replacements.removeIf(replacement -> replacement.isBefore(now.minus(WITHIN)));
    if (replacements.size() >= MOST_REPLACEMENTS) {
      LOG.error(
          "{} threads died within {}; the transformer stops",
          MOST_REPLACEMENTS + 1,
          WITHIN,
          failure);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }
    replacements.add(now);
    LOG.error("A thread died and is replaced", failure);
    return StreamThreadExceptionResponse.REPLACE_THREAD;
  }

  /**
   * Waits on the dying thread, for one thread after the other, so that threads that died together
   * restart apart.
   */
  private void waitForConnections() {
    try {
      sleeper.sleep(AFTER_TOO_MANY_CONNECTS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean hasCause(Throwable failure, Class<? extends Throwable> type) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }
}
