package io.cdcaudit.transformer.typing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DateTimesTest {

  @ParameterizedTest
  @CsvSource({
    "9999-12-31 21:59:59.999999-02,9999-12-31T23:59:59.999999Z",
    "9999-12-31 23:00:00+02,9999-12-31T21:00:00Z",
    "0001-01-01 02:00:00+02,0001-01-01T00:00:00Z"
  })
  void aTimeIsConvertedWithinTheYears1To9999(String sent, String written) {
    assertThat(Typed.of("timestamp with time zone", sent))
        .isEqualTo(new Typed(WriteResult.TYPED, Typed.quoted(written)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "9999-12-31 23:00:00-02",
        "9999-12-31T22:00:00-02:00",
        "0001-01-01 01:59:59+02",
        "0001-01-01T00:00:00.000001+00:30"
      })
  void oneThatTheConversionTakesOutOfThemStaysAsItIs(String sent) {
    assertThat(Typed.of("timestamp with time zone", sent))
        .isEqualTo(new Typed(WriteResult.UNTYPED, Typed.quoted(sent)));
    String literal = "{\"" + sent + "\"}";
    assertThat(Typed.of("timestamp with time zone[]", literal))
        .isEqualTo(new Typed(WriteResult.UNTYPED, Typed.quoted(literal)));
  }
}
