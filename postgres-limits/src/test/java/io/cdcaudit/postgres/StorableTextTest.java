package io.cdcaudit.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StorableTextTest {

  @ParameterizedTest
  @ValueSource(strings = {"", "a\tb", "é", "\uFFFD", "😀", "\\u0000", "a😀😀b"})
  void textOfWholeCharactersIsStorable(String text) {
    assertThat(StorableText.isStorable(text)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\0", "a\0b", "\uD83D", "a\uD83D", "\uD83Da", "\uDE00", "\uDE00\uD83D", "😀\uDE00"})
  void textWithNulOrHalfASurrogatePairIsNot(String text) {
    assertThat(StorableText.isStorable(text)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1",
        "\"\\u00e9\\n\"",
        "\"\\\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\\uD83D\\uDE00\"",
        "[\"\\\\\",\"u0000\"]"
      })
  void escapesOfWholeCharactersAreStorable(String json) {
    assertThat(hasStorableEscapes(json)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "\"\\ud83d\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ude00\"",
        "\"\\\\\\u0000\""
      })
  void escapesOfNulOrOfHalfASurrogatePairAreNot(String json) {
    assertThat(hasStorableEscapes(json)).isFalse();
  }

  private static boolean hasStorableEscapes(String json) {
    byte[] within = ("[\"\\u0000\"," + json + ",\"\\u0000\"]").getBytes(StandardCharsets.UTF_8);
    return StorableText.hasStorableEscapes(within, 10, within.length - 10);
  }
}
