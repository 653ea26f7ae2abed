package io.cdcaudit.transformer.streams;

import static org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD;
import static org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.topology.OversizedEvents;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StreamsFailuresTest {

  private final SettableClock clock = new SettableClock();
  private final OversizedEvents oversized = new OversizedEvents();
  private final List<Duration> pauses = new ArrayList<>();
  private final StreamsFailures failures =
      new StreamsFailures(clock, "cdc.raw", oversized, pauses::add);

  @Test
  void aDeadThreadIsReplacedSomeTimesAndThenTheClientStops() {
    for (int death = 1; death <= StreamsFailures.MOST_REPLACEMENTS; death++) {
      assertThat(failures.handle(new TopicAuthorizationException("audit.events")))
          .isEqualTo(REPLACE_THREAD);
    }
    assertThat(failures.handle(new TopicAuthorizationException("audit.events")))
        .isEqualTo(SHUTDOWN_CLIENT);
  }

  @Test
  void deathsLongAgoDoNotCount() {
    for (int death = 1; death <= 10 * StreamsFailures.MOST_REPLACEMENTS; death++) {
      clock.now =
          clock.now.plus(StreamsFailures.WITHIN.dividedBy(StreamsFailures.MOST_REPLACEMENTS - 1));
      assertThat(failures.handle(new StreamsException("broker away"))).isEqualTo(REPLACE_THREAD);
    }
  }

  @Test
  void eventsThatABrokerFindsTooLargeEndByThemselves() {
    for (int death = 1; death <= 2 * StreamsFailures.MOST_REPLACEMENTS; death++) {
      oversized.add(UUID.randomUUID());
      assertThat(failures.handle(new StreamsException(new RecordTooLargeException())))
          .isEqualTo(REPLACE_THREAD);
    }
  }

  @Test
  void anythingElseThatABrokerFindsTooLargeDoesNot() {
    for (int death = 1; death <= StreamsFailures.MOST_REPLACEMENTS; death++) {
      assertThat(failures.handle(new StreamsException(new RecordTooLargeException())))
          .isEqualTo(REPLACE_THREAD);
    }
    assertThat(failures.handle(new StreamsException(new RecordTooLargeException())))
        .isEqualTo(SHUTDOWN_CLIENT);
  }

  @Test
  void brokersMayBeAwayForAsLongAsTheyLike() {
    for (int death = 1; death <= 2 * StreamsFailures.MOST_REPLACEMENTS; death++) {
      assertThat(failures.handle(new StreamsException(new TimeoutException("expired"))))
          .isEqualTo(REPLACE_THREAD);
    }
  }

  @Test
  void brokersMayHaveTooManyConnectionsForAsLongAsTheyLikeAndAreGivenTime() {
    StreamsException failure =
        new StreamsException(new SaslAuthenticationException("[4f2c]: Too many connects"));
    for (int death = 1; death <= 2 * StreamsFailures.MOST_REPLACEMENTS; death++) {
      assertThat(failures.handle(failure)).isEqualTo(REPLACE_THREAD);
    }
    assertThat(pauses)
        .hasSize(2 * StreamsFailures.MOST_REPLACEMENTS)
        .containsOnly(StreamsFailures.AFTER_TOO_MANY_CONNECTS);
  }

  @ParameterizedTest
  @MethodSource("otherRefusals")
  void anyOtherRefusalDoesNotPassByItself(Exception refusal) {
    for (int death = 1; death <= StreamsFailures.MOST_REPLACEMENTS; death++) {
      assertThat(failures.handle(new StreamsException(refusal))).isEqualTo(REPLACE_THREAD);
    }
    assertThat(failures.handle(new StreamsException(refusal))).isEqualTo(SHUTDOWN_CLIENT);
    assertThat(pauses).isEmpty();
  }

  static List<Exception> otherRefusals() {
    return List.of(
        new SaslAuthenticationException("[4f2c]: Access denied"),
        new SaslAuthenticationException((String) null),
        new IllegalStateException("Too many connects"));
  }

  @Test
  void aThreadThatIsInterruptedWhileItWaitsIsReplacedAndStaysInterrupted() {
    StreamsFailures interrupted =
        new StreamsFailures(
            clock,
            "cdc.raw",
            oversized,
            duration -> {
              throw new InterruptedException();
            });
    assertThat(interrupted.handle(new SaslAuthenticationException("Too many connects")))
        .isEqualTo(REPLACE_THREAD);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void withoutTheTopicOfChangeRecordsTheClientStopsAtOnce() {
    assertThat(failures.handle(new StreamsException(new MissingSourceTopicException("gone"))))
        .isEqualTo(SHUTDOWN_CLIENT);
  }

  @Test
  void aClientThatStoppedForGoodEndsTheProcess() throws Exception {
    CompletableFuture<Thread> ending = new CompletableFuture<>();
    StreamsState state = new StreamsState(() -> ending.complete(Thread.currentThread()));
    state.onChange(State.RUNNING, State.REBALANCING);
    assertThat(state.get()).isEqualTo(State.RUNNING);
    assertThat(ending).isNotDone();

    Thread closing = new Thread(() -> state.onChange(State.ERROR, State.PENDING_ERROR));
    closing.setDaemon(true);
    closing.start();

    // Otherwise the process could end by itself, with a code that says that all is well.
    assertThat(ending.get(10, TimeUnit.SECONDS).isDaemon()).isFalse();
  }

  private static final class SettableClock extends Clock {

    private Instant now = Instant.EPOCH.plus(Duration.ofDays(1));

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
