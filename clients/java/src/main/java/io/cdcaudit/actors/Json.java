package io.cdcaudit.actors;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Writes the facts of an act, so that this package needs no library. */
final class Json {
  private Json() {}

  static String object(Map<?, ?> facts) {
    return facts.entrySet().stream()
        .map(fact -> text(String.valueOf(fact.getKey())) + ":" + value(fact.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static String value(Object value) {
    if (value instanceof CharSequence || value instanceof Enum<?> || value instanceof Character) return text(value.toString());
    if (value == null || value instanceof Boolean) return String.valueOf(value);
    if (value instanceof Number number && Double.isFinite(number.doubleValue())) return number.toString();
    if (value instanceof Map<?, ?> map) return object(map);
    if (value instanceof Iterable<?> list) {
      return StreamSupport.stream(list.spliterator(), false).map(Json::value).collect(Collectors.joining(",", "[", "]"));
    }
    throw new IllegalArgumentException("A context has texts, finite numbers, booleans, nulls, maps and lists; " + value + " is a "
        + value.getClass().getName() + ". Give it as a text.");
  }

  private static String text(String text) {
    StringBuilder written = new StringBuilder("\"");
    for (char character : text.toCharArray()) {
      if (character == '"' || character == '\\') written.append('\\').append(character);
      else if (character < ' ') written.append(String.format("\\u%04x", (int) character));
      else written.append(character);
    }
    return written.append('"').toString();
  }
}
