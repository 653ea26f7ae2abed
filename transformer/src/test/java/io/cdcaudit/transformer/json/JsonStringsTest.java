package io.cdcaudit.transformer.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class JsonStringsTest {

  private static final JsonMapper MAPPER = JsonMapper.shared();

  @RepeatedTest(500)
  void aWrittenStringReadsAsWhatItWas(RepetitionInfo repetition) {
    String text = randomText(new Random(repetition.getCurrentRepetition()));
    assertThat(MAPPER.readTree(new JsonOutput().writeString(text).toBytes()).stringValue())
        .isEqualTo(text);
  }

  @RepeatedTest(500)
  void aStringReadsAsWhatItSaysHoweverItIsEscaped(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    String text = randomText(random);
    assertThat(slice(escapeSome(text, random)).text()).hasToString(text);
  }

  @RepeatedTest(200)
  void inAKeyAStringHasOneFormHoweverItWasEscaped(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    String text = randomText(random);
    JsonOutput output = new JsonOutput().write('{');
    output.write(escapeSome(text, random).getBytes(StandardCharsets.UTF_8));
    output.canonicalizeString(1);
    assertThat(output.toBytes()).isEqualTo(new JsonOutput().write('{').writeString(text).toBytes());
  }

  @Test
  void aLoneSurrogateReadsAsTheReplacementCharacter() {
    assertThat(slice("\"a\\ud800b\\udc00\"").text()).hasToString("a\ufffdb\ufffd");
  }

  @Test
  void lengthsAreThoseOfUtf16() {
    String text = "aé漢😀";
    assertThat(Text.of(text).utf16Length()).isEqualTo(text.length());
  }

  private static JsonSlice slice(String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return new JsonSlice(bytes, 0, bytes.length);
  }

  private static String randomText(Random random) {
    int[] candidates = {
      '"', '\\', '/', '\b', '\f', '\n', '\r', '\t', 0, 0x1f, 0x7f, 'a', 'é', '漢', 0x1F600, 0xFFFD
    };
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(12); length > 0; length--) {
      text.appendCodePoint(candidates[random.nextInt(candidates.length)]);
    }
    return text.toString();
  }

  /**
   * Escapes what must be escaped, and of the rest some characters, in one of the ways that JSON
   * allows.
   */
  private static String escapeSome(String text, Random random) {
    StringBuilder json = new StringBuilder("\"");
    for (char character : text.toCharArray()) {
      int simple = "\"\\/\b\f\n\r\t".indexOf(character);
      boolean must = character < ' ' || character == '"' || character == '\\';
      if (simple >= 0 && random.nextBoolean()) {
        json.append('\\').append("\"\\/bfnrt".charAt(simple));
      } else if (must || random.nextInt(3) == 0 || Character.isSurrogate(character)) {
        json.append("\\u%04x".formatted((int) character));
      } else {
        json.append(character);
      }
    }
    return json.append('"').toString();
  }
}
