package io.cdcaudit.transformer.json;

import static org.assertj.core.api.Assertions.assertThat;

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
        "-1.5e-10"
      })
  void whatJsonbTakesIsStorable(String json) {
    assertThat(JsonSyntax.isStorableJson(Text.of(json))).isTrue();
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
  }

  @Test
  void nestingHasALimit() {
    assertThat(JsonSyntax.isStorableJson(nested(JsonSyntax.LARGEST_DEPTH))).isTrue();
    assertThat(JsonSyntax.isStorableJson(nested(JsonSyntax.LARGEST_DEPTH + 1))).isFalse();
  }

  private static Text nested(int depth) {
    return Text.of("[".repeat(depth) + "]".repeat(depth));
  }
}
