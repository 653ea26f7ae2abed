package io.cdcaudit.transformer.samples;

import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.JsonSyntax;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;

/**
 * A case of {@code contract/samples}: what goes in and what must come out.
 *
 * @param records as they are sent: JSON without white space, every number and escape as it stands
 *     in the file
 */
public record Sample(String name, JsonNode content, List<byte[]> records) {

  private static final Path FOLDER = Path.of("../contract/samples");

  private static final String STRING = "\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"";
  private static final Pattern REPETITION =
      Pattern.compile(
          "\\{\"\\$repeat\":(%1$s),\"times\":(\\d+)(?:,\"prefix\":(%1$s))?(?:,\"suffix\":(%1$s))?\\}"
              .formatted(STRING));

  public static List<Sample> all() {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .filter(file -> file.toString().endsWith(".json"))
          .sorted()
          .map(Sample::read)
          .toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static Sample read(Path file) {
    try {
      String text = expandRepetitions(withoutWhiteSpace(Files.readString(file)));
      JsonNode content = Json.read(text.getBytes(StandardCharsets.UTF_8));
      return new Sample(file.getFileName().toString().replace(".json", ""), content, records(text));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  public int lobMaxSizeKilobytes() {
    return content.path("settings").path("lob_max_size_kilobytes").intValue(2048);
  }

  public int messageMaxBytes() {
    return content.path("settings").path("message_max_bytes").intValue(16 << 20);
  }

  @Override
  public String toString() {
    return name + ": " + content.required("title").stringValue();
  }

  private static List<byte[]> records(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    List<byte[]> records = new ArrayList<>();
    try (JsonParser parser = JsonSyntax.parser(bytes)) {
      while (!"records".equals(parser.currentName())) {
        parser.nextToken();
      }
      parser.nextToken();
      parser.nextToken();
      while (parser.currentToken() != JsonToken.END_ARRAY) {
        boolean isText = parser.currentToken() == JsonToken.VALUE_STRING;
        String sent = isText ? parser.getString() : null;
        JsonSlice written = JsonSyntax.takeSlice(parser, bytes);
        records.add((isText ? sent : written.toString()).getBytes(StandardCharsets.UTF_8));
      }
    }
    return records;
  }

  private static String withoutWhiteSpace(String json) {
    return Pattern.compile("(%s)|\\s+".formatted(STRING))
        .matcher(json)
        .replaceAll(
            match -> match.group(1) == null ? "" : Matcher.quoteReplacement(match.group(1)));
  }

  private static String expandRepetitions(String json) {
    return REPETITION.matcher(json).replaceAll(match -> Matcher.quoteReplacement(expand(match)));
  }

  private static String expand(MatchResult repetition) {
    int times = Integer.parseInt(repetition.group(2));
    return '"'
        + inner(repetition.group(3))
        + inner(repetition.group(1)).repeat(times)
        + inner(repetition.group(4))
        + '"';
  }

  private static String inner(String string) {
    return string == null ? "" : string.substring(1, string.length() - 1);
  }
}
