package io.cdcaudit.transformer.samples;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** JSON as tests look at it: every digit counts, the order of members does not. */
public final class Json {

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNumberLength(1_000_000).build())
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private Json() {}

  public static JsonNode read(byte[] json) {
    return MAPPER.readTree(json);
  }

  public static JsonNode read(String json) {
    return MAPPER.readTree(json);
  }

  public static JsonNode read(Path file) {
    return MAPPER.readTree(file);
  }

  /** One text for all values that are equal. */
  public static String canonical(JsonNode node) {
    if (node.isArray()) {
      return node.values().stream().map(Json::canonical).toList().toString();
    }
    if (!node.isObject()) {
      return node.toString();
    }
    Map<String, String> members = new TreeMap<>();
    node.properties().forEach(member -> members.put(member.getKey(), canonical(member.getValue())));
    return members.toString();
  }
}
