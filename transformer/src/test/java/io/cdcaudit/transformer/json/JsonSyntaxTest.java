package io.cdcaudit.transformer.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.postgres.JsonDepth;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSyntaxTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "1",
        "\"\"",
        "null",
        "true",
        " {\"a\": [1, {\"b\": null}]} ",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "-1.5e-10",
        "{\"a\": 1, \"A\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 1}]}"
      })
  void whatJsonbTakesIsStorable(String json) {
    assertThat(JsonSyntax.isStorableJson(Text.of(json))).isTrue();
    assertThat(JsonSyntax.isJsonb(Text.of(json))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[1,]",
        "{} {}",
        "1 2",
        "nul",
        "'a'",
        "{a: 1}",
        "01",
        "NaN",
        "\"\\u0000\"",
        "{\"\\u0000\": 1}",
        "\"\\ud800\"",
        "\"\\ude00\\ud83d\"",
        "[1]]",
        "\"unended"
      })
  void whatJsonbRefusesIsNot(String json) {
    assertThat(JsonSyntax.isStorableJson(Text.of(json))).isFalse();
    assertThat(JsonSyntax.isJsonb(Text.of(json))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1e131071",
        "-9.99E+131071",
        "[0.5e00131071]",
        "1e-16383",
        "-1.5e-16382",
        "{\"a\": 10e-16383}",
        "1.5e20000"
      })
  void aNumberWithinTheRangeOfNumericIsStorable(String json) {
    assertThat(JsonSyntax.isStorableJson(Text.of(json))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1e131072",
        "-10e131071",
        "1e200000",
        "1e-16384",
        "-1.5E-16383",
        "{\"a\": [1, 1e200000]}",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e2000000000",
        "1e4294967296",
        "1e-4294967297"
      })
  void oneBeyondItIsNot(String json) {
    assertThat(JsonSyntax.isStorableJson(Text.of(json))).isFalse();
  }

  @Test
  void digitsCountWithoutAnExponentToo() {
    String longest = "-" + "9".repeat(131_072) + "." + "9".repeat(16_383);
    assertThat(JsonSyntax.isStorableJson(Text.of(longest))).isTrue();
    assertThat(JsonSyntax.isStorableJson(Text.of("9".repeat(131_073)))).isFalse();
    assertThat(JsonSyntax.isStorableJson(Text.of("0." + "9".repeat(16_384)))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\": 1, \"a\": 1}",
        "{\"a\": 1, \"b\": 2, \"c\": 3, \"b\": 4}",
        "{\"a\": 1, \"\\u0061\": 2}",
        "[{\"x\": {\"\": 1, \"\": 2}}]"
      })
  void anObjectThatRepeatsANameWouldNotStayWhatItIs(String json) {
    assertThat(JsonSyntax.isStorableJson(Text.of(json))).isFalse();
  }

  @Test
  void nestingHasALimit() {
    assertThat(JsonSyntax.isStorableJson(nested(JsonDepth.DEEPEST_WRITTEN))).isTrue();
    assertThat(JsonSyntax.isStorableJson(nested(JsonDepth.DEEPEST_WRITTEN + 1))).isFalse();
    assertThat(JsonSyntax.isTooDeep(nested(JsonDepth.DEEPEST_WRITTEN).bytes())).isFalse();
    assertThat(JsonSyntax.isTooDeep(nested(JsonDepth.DEEPEST_WRITTEN + 1).bytes())).isTrue();
  }

  private static Text nested(int depth) {
    return Text.of("[".repeat(depth) + "]".repeat(depth));
  }
}
