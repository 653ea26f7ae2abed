package io.cdcaudit.transformer.order;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.samples.Json;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TopicBeginningsTest {

  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00.000001Z");
  private static final long MICROSECONDS = 1_795_341_600_000_001L;

  private final TopicBeginnings first = TopicBeginnings.NONE.with("one", NOW);

  @Test
  void aTopicBeginsAtTheTimeOfItsFirstSightAndKeepsItsBeginning() {
    assertThat(first.baseOf("one")).hasValue(MICROSECONDS);
    assertThat(first.baseOf("two")).isEmpty();
    assertThat(first.with("two", NOW.plusSeconds(9)).baseOf("one")).hasValue(MICROSECONDS);
  }

  @Test
  void aTopicThatWasMadeAgainBeginsAfterTheOneBeforeItWhateverTheClockSays() {
    assertThat(first.with("two", NOW.plusSeconds(9)).baseOf("two"))
        .hasValue(MICROSECONDS + 9_000_000);
    assertThat(first.with("two", NOW.minus(Duration.ofDays(30))).baseOf("two"))
        .hasValue(MICROSECONDS + 10_000_000_000_000L);
    assertThat(first.with("two", NOW).baseOf("two").getAsLong()).isGreaterThan(MICROSECONDS);
  }

  @Test
  void ofTwoBeginningsOfOneTopicTheFirstCounts() {
    TopicBeginnings other = TopicBeginnings.NONE.with("one", NOW.plusSeconds(1));
    assertThat(first.with(other)).isEqualTo(first);
    assertThat(TopicBeginnings.NONE.with(first).with(other)).isEqualTo(first);
  }

  @Test
  void whatWasWrittenIsRead() {
    TopicBeginnings both = first.with("two", NOW.plusSeconds(9));
    assertThat(TopicBeginnings.read(Json.read(both.write()))).isEqualTo(both);
    assertThat(TopicBeginnings.read(Json.read(TopicBeginnings.NONE.write())))
        .isEqualTo(TopicBeginnings.NONE);
  }
}
