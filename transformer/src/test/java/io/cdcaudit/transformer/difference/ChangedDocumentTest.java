package io.cdcaudit.transformer.difference;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import jakarta.json.JsonStructure;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChangedDocumentTest {

  private static final String FILLER =
      "\"fillers\": \"a text that is so long that any patch of a member beside it is shorter than half\"";

  private final ChangedDocument document = new ChangedDocument();
  private final JsonOutput after = new JsonOutput();
  private final JsonOutput patch = new JsonOutput();

  @Test
  void aPatchOfJsonbMakesTheOldDocumentOfTheNewOne() {
    Random random = new Random(1);
    RandomDocument documents = new RandomDocument(random, true);
    int patches = 0;
    for (int count = 0; count < 2_000; count++) {
      Object older = Stream.generate(() -> documents.value(5)).limit(12).toList();
      Object newer = documents.changed(older, 0.04 * random.nextDouble());
      String oldText = documents.text(older);
      String newText = documents.text(newer);
      String found = difference(newText, oldText, true);
      if (found != null) {
        patches++;
        assertThat(found.length()).isLessThanOrEqualTo(oldText.length());
        assertThat(applied(newText, found)).describedAs(found).isEqualTo(read(oldText));
      }
    }
    assertThat(patches).isGreaterThan(700);
  }

  @Test
  void aPatchOfJsonMakesTheVeryTextOfTheOldDocument() {
    Random random = new Random(1);
    RandomDocument documents = new RandomDocument(random, false);
    int patches = 0;
    for (int count = 0; count < 2_000; count++) {
      Object older = Stream.generate(() -> documents.value(5)).limit(12).toList();
      Object newer = documents.changed(older, 0.02 * random.nextDouble());
      String oldText = documents.text(older);
      String newText = documents.text(newer);
      String found = difference(newText, oldText, false);
      if (found != null) {
        patches++;
        assertThat(found).doesNotContain("\"op\":\"add\"", "\"op\":\"remove\"");
        assertThat(applied(newText, found)).isEqualTo(read(oldText));
        assertThat(TextPatch.applied(newText, found)).isEqualTo(oldText);
      }
    }
    assertThat(patches).isGreaterThan(300);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "1.00 | 1.0",
        "12345678901234567890.10 | 12345678901234567890.1",
        "1 | 12",
        "12 | 2",
        "\"a\" | null",
        "[1, 2] | {}",
        "\"a \\\\ b\" | \"a \\\\\\\\ b\"",
        "\"\\\"\" | \"\"",
        "[] | [[]]"
      })
  void aValueThatDiffersInAnyDigitIsReplaced(String newValue, String oldValue) {
    String template = "{\"v\": %s, " + FILLER + "}";
    assertThat(difference(template.formatted(newValue), template.formatted(oldValue), true))
        .isIn(
            "[{\"op\":\"replace\",\"path\":\"/v\",\"value\":%s}]".formatted(oldValue),
            "[{\"op\":\"add\",\"path\":\"/v/0\",\"value\":[]}]");
  }

  @Test
  void pathsAreWrittenAsJsonPointers() {
    String template = "{\"a/b\": {\"m~n\": {\"q\\\"\": [0, %s]}}, " + FILLER + "}";
    assertThat(difference(template.formatted("1"), template.formatted("2"), true))
        .isEqualTo("[{\"op\":\"replace\",\"path\":\"/a~1b/m~0n/q\\\"/1\",\"value\":2}]");
  }

  @Test
  void membersAndElementsComeAndGo() {
    String newer = "{\"b\": [1, 2, 3, 4], \"cc\": 1, \"dd\": 5, " + FILLER + "}";
    String older = "{\"a\": 0, \"b\": [1, 4], \"dd\": 6, \"ee\": null, " + FILLER + "}";
    assertThat(difference(newer, older, true))
        .isNull(); // Longer than half of the document.
    String more = ", \"long text\": \"" + "x".repeat(400) + "\"}";
    assertThat(difference(newer.replace("}", more), older.replace("}", more), true))
        .isEqualTo(
            "[{\"op\":\"add\",\"path\":\"/a\",\"value\":0},"
                + "{\"op\":\"replace\",\"path\":\"/b\",\"value\":[1, 4]},"
                + "{\"op\":\"remove\",\"path\":\"/cc\"},"
                + "{\"op\":\"replace\",\"path\":\"/dd\",\"value\":6},"
                + "{\"op\":\"add\",\"path\":\"/ee\",\"value\":null}]");
  }

  @Test
  void anElementThatWasRemovedFromTheMiddleIsAddedThere() {
    String elements =
        "\"a long element\", \"another one, as long as that\", %s\"the last long element, by far\"";
    assertThat(
            difference(
                "[" + elements.formatted("") + "]",
                "[" + elements.formatted("\"gone\", ") + "]",
                true))
        .isEqualTo("[{\"op\":\"add\",\"path\":\"/2\",\"value\":\"gone\"}]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\": 2,  F}", // space that jsonb would not write
        "{F, \"a\": 2}",
        "{\"a\": 1, \"a\": 2, F}",
        "{\"a\": 2, \"b\": 1, F}"
      })
  void jsonWhoseTextAPatchCouldNotRestoreStaysWhole(String older) {
    String newer = "{\"a\": 1, F}";
    assertThat(difference(newer.replace("F", FILLER), older.replace("F", FILLER), false)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\": 2, F", "{\"a\": , F}", "{\"a\": 2 3, F}", "{\"a\": \"\\u0000\", F}", "{\"a\": tru, F}",
        "{\"a\": 2}, F}", "{\"a\": 2}", "", "{\"a\": [}, F}", "{\"a\": \"x, F}", "{a: 2, F}", "{\"a\": 2, F} {}"
      })
  void anOldValueThatIsNoDocumentStaysWhole(String older) {
    String newer = "{\"a\": 1, F}".replace("F", FILLER);
    assertThat(difference(newer, older.replace("F", FILLER), true)).isNull();
    assertThat(difference(newer, older.replace("F", FILLER), false)).isNull();
  }

  @Test
  void anOldDocumentThatIsNestedTooDeepStaysWhole() {
    String template = "{\"a\": [[%s]], " + FILLER + ", \"b\": \"" + "x".repeat(5000) + "\"}";
    String deep = "[".repeat(397) + "]".repeat(397);
    assertThat(difference(template.formatted("1"), template.formatted(deep), true)).isNotNull();
    assertThat(difference(template.formatted("1"), template.formatted("[" + deep + "]"), true))
        .isNull();
  }

  @Test
  void manyChangesStayWhole() {
    StringBuilder newer = new StringBuilder("{\"a000\": 0");
    StringBuilder older = new StringBuilder("{\"a000\": 0");
    for (int member = 1; member <= JsonPatch.MOST_OPERATIONS + 1; member++) {
      String same = "\"b%03d\": \"%s\"".formatted(member, "x".repeat(200));
      newer.append(", \"a%03d\": 1, ".formatted(member)).append(same);
      older.append(", \"a%03d\": 2, ".formatted(member)).append(same);
    }
    assertThat(difference(newer + "}", older + "}", false)).isNull();
  }

  @Test
  void deeplyNestedDocumentsThatDifferAtBothEndsAreReadInTime() {
    String template = "[%1$s, ".repeat(300) + "0" + ", %1$s]".repeat(300);
    String found = difference(template.formatted("1"), template.formatted("2"), true);
    assertThat(found).isNull();
  }

  @Test
  void aNewValueThatIsNoDocumentIsNotWritten() {
    after.write('{');
    assertThat(document.writeNew(slice("{\"a\""), slice("{}"), true, after)).isFalse();
    assertThat(after.length()).isEqualTo(1);
  }

  /** The patch from a new document to an old one; null if the old one stays whole. */
  private String difference(String newer, String older, boolean isJsonb) {
    after.clear();
    after.write('{');
    patch.clear();
    patch.write('{');
    assertThat(document.writeNew(slice(newer), slice(older), isJsonb, after)).isTrue();
    assertThat(after.textFrom(1).toString()).isEqualTo(newer);
    return document.writePatch(after, patch) ? patch.textFrom(1).toString() : null;
  }

  /** A document as DMS sends it: as a JSON string, within more. */
  private static JsonSlice slice(String json) {
    byte[] bytes = (":" + RandomDocument.quoted(json) + ",").getBytes(StandardCharsets.UTF_8);
    return new JsonSlice(bytes, 1, bytes.length - 1);
  }

  private static JsonValue applied(String json, String patch) {
    JsonArray operations = (JsonArray) read(patch);
    JsonValue target = read(json);
    return Json.createPatch(operations).apply((JsonStructure) target);
  }

  private static JsonValue read(String json) {
    try (JsonReader reader = Json.createReader(new StringReader(json))) {
      return reader.readValue();
    }
  }

  /** Replaces values within a text. */
  private static final class TextPatch {
    static String applied(String json, String patch) {
      String text = json;
      for (JsonObject operation : ((JsonArray) read(patch)).getValuesAs(JsonObject.class)) {
        String value = valueIn(patch, operation);
        text = replaced(text, operation.getString("path"), value);
      }
      return text;
    }

    /** The very text of an operation's value. */
    private static String valueIn(String patch, JsonObject operation) {
      String before =
          "{\"op\":\"replace\",\"path\":%s,\"value\":"
              .formatted(RandomDocument.quoted(operation.getString("path")));
      int start = patch.indexOf(before) + before.length();
      return patch.substring(start, end(patch, start));
    }

    private static String replaced(String json, String path, String value) {
      int place = 0;
      String[] parts = path.substring(1).split("/", -1);
      for (String part : parts) {
        String name = part.replace("~1", "/").replace("~0", "~");
        place = json.charAt(place) == '{' ? member(json, place, name) : element(json, place, name);
      }
      return json.substring(0, place) + value + json.substring(end(json, place));
    }

    private static int member(String json, int object, String name) {
      int key = space(json, object + 1);
      while (true) {
        int keyEnd = end(json, key);
        int value = space(json, space(json, keyEnd) + 1);
        if (json.substring(key, keyEnd).equals(RandomDocument.quoted(name))) {
          return value;
        }
        key = space(json, space(json, end(json, value)) + 1);
      }
    }

    private static int element(String json, int array, String index) {
      int place = space(json, array + 1);
      for (int count = Integer.parseInt(index); count > 0; count--) {
        place = space(json, space(json, end(json, place)) + 1);
      }
      return place;
    }

    private static int space(String json, int start) {
      int place = start;
      while (Character.isWhitespace(json.charAt(place))) {
        place++;
      }
      return place;
    }

    private static int end(String json, int start) {
      int depth = 0;
      boolean isQuoted = false;
      for (int place = start; ; place++) {
        char character = json.charAt(place);
        if (isQuoted && character == '\\') {
          place++;
        } else if (character == '"') {
          isQuoted = !isQuoted;
          if (!isQuoted && depth == 0) {
            return place + 1;
          }
        } else if (!isQuoted && "{[".indexOf(character) >= 0) {
          depth++;
        } else if (!isQuoted && "}]".indexOf(character) >= 0) {
          if (depth == 0) {
            return place;
          }
          if (--depth == 0) {
            return place + 1;
          }
        } else if (!isQuoted && depth == 0 && ", \n}".indexOf(character) >= 0) {
          return place;
        }
      }
    }
  }
}
