package io.cdcaudit.transformer.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cdcaudit.transformer.samples.Json;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class TimestampTest {

  private static final JsonNode TIME =
      Json.read(Path.of("../contract/time.schema.json")).required("definitions");

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
    "2026-11-22T10:00:00.123456789Z,2026-11-22T10:00:00.123456Z",
    "2026-11-22T12:00:00.1234567+02:00,2026-11-22T10:00:00.123456Z",
    "0001-01-01T00:30:00-00:30,0001-01-01T01:00:00.000000Z",
    "9999-12-31T23:59:59.999999+00:00,9999-12-31T23:59:59.999999Z",
    "2026-11-22T12:00:00.25+02:00,2026-11-22T10:00:00.250000Z"
  })
  void theTextKeepsTheFractionAsGivenToTheMicrosecondAndIsInUtc(String given, String text) {
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
        "+12026-11-22T10:00:00+00:00",
        "0000-12-31T10:00:00Z",
        "0001-01-01T00:30:00+01:00",
        "9999-12-31T23:30:00-01:00",
        "2026-11-22T10:00+02:00",
        "2026-11-22T10:00:00+02",
        "2026-11-22T10:00:00+16:00",
        "2026-11-22T10:00:00+02:60",
        "2026-11-22T10:00:00.+02:00",
        "2026-11-22T10:00:00 02:00",
        "2026-11-22t10:00:00z"
      })
  void whatIsNoTimeIsRefused(String text) {
    assertThatThrownBy(() -> Timestamp.parse(text)).isInstanceOf(DateTimeException.class);
  }

  @Test
  void whatTheContractReadsIsWrittenAsItSays() {
    JsonNode read = TIME.required("read").required("examples");
    JsonNode written = TIME.required("written").required("examples");
    assertThat(read.size()).isEqualTo(written.size()).isPositive();
    for (int index = 0; index < read.size(); index++) {
      assertThat(Timestamp.parse(read.get(index).stringValue()).text())
          .isEqualTo(written.get(index).stringValue());
    }
  }

  /** Each character of a time is changed into each other that stands in one. */
  @Test
  void itReadsWhatThePatternOfTheContractAllows() {
    Pattern allowed = Pattern.compile(TIME.required("read").required("pattern").stringValue());
    Pattern written = Pattern.compile(TIME.required("written").required("pattern").stringValue());
    for (String time : List.of("2026-12-22T10:00:00.123456789Z", "2026-12-22T12:00:00.5+02:00")) {
      for (int index = 0; index < time.length(); index++) {
        for (char character : "0123456789-+:.TZtz ".toCharArray()) {
          String changed = time.substring(0, index) + character + time.substring(index + 1);
          boolean matches = allowed.matcher(changed).matches();
          try {
            assertThat(written.matcher(Timestamp.parse(changed).text()).matches())
                .as(changed)
                .isTrue();
            assertThat(matches).as(changed).isTrue();
          } catch (DateTimeException refused) {
            assertThat(matches).as(changed).isFalse();
          }
        }
      }
    }
  }
}
