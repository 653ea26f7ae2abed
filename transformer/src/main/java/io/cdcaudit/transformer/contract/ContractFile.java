package io.cdcaudit.transformer.contract;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The JSON files of the repository's folder {@code contract} that the build put into the jar. */
final class ContractFile {

  private ContractFile() {}

  /**
   * @throws IllegalStateException if the build left the file out
   */
  static JsonNode read(String name) {
    String resource = "/contract/" + name;
    try (InputStream json = ContractFile.class.getResourceAsStream(resource)) {
      if (json == null) {
        throw new IllegalStateException(resource + " is not on the class path; build with Maven");
      }
      return JsonMapper.shared().readTree(json);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(resource + " cannot be read from the class path", unreadable);
    }
  }

  static List<String> strings(JsonNode array) {
    return array.values().stream().map(JsonNode::stringValue).toList();
  }

  /**
   * The word of a list that an enum's constant stands for: {@code not-json} for {@code NOT_JSON}.
   *
   * @throws IllegalStateException if the list has no such word
   */
  static String wordOf(Enum<?> constant, List<String> words) {
    String word = constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    if (!words.contains(word)) {
      throw new IllegalStateException(
          "%s.%s stands for %s, which the contract does not know; it knows %s"
              .formatted(constant.getClass().getSimpleName(), constant.name(), word, words));
    }
    return word;
  }
}
