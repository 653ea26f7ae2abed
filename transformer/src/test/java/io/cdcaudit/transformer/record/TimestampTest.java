package io.cdcaudit.transformer.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimestampTest {

  @RepeatedTest(300)
  void anyMicrosecondReadsAsWritten(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    Instant instant =
        Instant.ofEpochSecond(
            random.nextLong(-2_000_000_000L, 4_000_000_000L), random.nextInt(1_000_000) * 1_000L);
    Timestamp timestamp = Timestamp.parse(instant.toString());
    assertThat(timestamp)
        .isEqualTo(
            new Timestamp(instant.toString(), ChronoUnit.MICROS.between(Instant.EPOCH, instant)));
    Timestamp written = Timestamp.of(instant);
    assertThat(written).isEqualByComparingTo(timestamp).isEqualTo(Timestamp.parse(written.text()));
    assertThat(written.text()).hasSize("2026-11-22T10:00:00.123456Z".length());
  }

  @ParameterizedTest
  @CsvSource({
    "2026-11-22T10:00:00Z,2026-11-22T10:00:00Z",
    "2026-11-22T10:00:00.5Z,2026-11-22T10:00:00.5Z",
    "2026-11-22T10:00:00.123456789Z,2026-11-22T10:00:00.123456789Z",
    "2026-11-22T12:00:00.25+02:00,2026-11-22T10:00:00.250000Z"
  })
  void theTextKeepsTheFractionAsGivenAndIsInUtc(String given, String text) {
    assertThat(Timestamp.parse(given).text()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Z",
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-11-22 10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:60:00Z",
        "2026-11-22T10:00:60Z",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00,5Z",
        "2026-11-22T10:00:00.1234567890Z",
        "2026-1x-22T10:00:00Z",
        "2026-11-22T10-00-00Z",
        "+12026-11-22T10:00:00+00:00"
      })
  void whatIsNoTimeIsRefused(String text) {
    assertThatThrownBy(() -> Timestamp.parse(text)).isInstanceOf(DateTimeException.class);
  }
}
