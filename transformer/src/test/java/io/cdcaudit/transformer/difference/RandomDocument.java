package io.cdcaudit.transformer.difference;

import io.cdcaudit.transformer.json.JsonOutput;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A random JSON document, changes of it, and its text as PostgreSQL writes it. Objects are maps,
 * arrays lists, anything else is its JSON text.
 */
final class RandomDocument {

  private static final String[] NAMES = {
    "a", "b", "id", "0", "1", "name", "née", "a/b", "m~n", "~1", "", "q\"q", "back\\slash", "x y", "日本", "\t"
  };
  private static final String[] SCALARS = {
    "null", "true", "false", "0", "1", "1.0", "1.00", "-1", "12345678901234567890.10", "1e5",
    "\"\"", "\"a\"", "\"a, b\"", "\"] }\"", "\"\\\"\"", "\"\\\\\"", "\"é 日本 😀\"", "\"\\n\\u0001\"",
    "\"a somewhat longer text, with a comma\"", "\"{\\\"a\\\": 1}\""
  };

  /** The order in which jsonb keeps names. */
  static final Comparator<String> JSONB =
      (name, other) -> {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        byte[] others = other.getBytes(StandardCharsets.UTF_8);
        return bytes.length != others.length
            ? bytes.length - others.length
            : Arrays.compareUnsigned(bytes, others);
      };

  private final Random random;
  private final boolean isJsonb;

  RandomDocument(Random random, boolean isJsonb) {
    this.random = random;
    this.isJsonb = isJsonb;
  }

  Object value(int depth) {
    return switch (depth == 0 ? 2 : random.nextInt(4)) {
      case 0 -> {
        Map<String, Object> members = members();
        for (int count = random.nextInt(6); count > 0; count--) {
          members.put(pick(NAMES), value(depth - 1));
        }
        yield members;
      }
      case 1 -> {
        List<Object> elements = new ArrayList<>();
        for (int count = random.nextInt(6); count > 0; count--) {
          elements.add(value(depth - 1));
        }
        yield elements;
      }
      default -> pick(SCALARS);
    };
  }

  /** A copy, in which each place has changed with a probability. */
  Object changed(Object value, double probability) {
    if (random.nextDouble() < probability) {
      return value(2);
    }
    if (value instanceof Map<?, ?> object) {
      Map<String, Object> members = members();
      object.forEach(
          (name, member) -> {
            if (random.nextDouble() >= probability) {
              members.put((String) name, changed(member, probability));
            }
          });
      if (random.nextDouble() < probability) {
        members.put(pick(NAMES), value(2));
      }
      return members;
    }
    if (value instanceof List<?> list) {
      List<Object> elements = new ArrayList<>();
      for (Object element : list) {
        if (random.nextDouble() < probability) {
          elements.add(value(2));
        }
        if (random.nextDouble() >= probability) {
          elements.add(changed(element, probability));
        }
      }
      return elements;
    }
    return value;
  }

  /** The text; of json with space that differs from place to place, but stays with its place. */
  String text(Object value) {
    if (value instanceof Map<?, ?> object) {
      List<String> members = new ArrayList<>();
      object.forEach((name, member) -> members.add(quoted((String) name) + colon(name) + text(member)));
      return "{" + String.join(", ", members) + "}";
    }
    return value instanceof List<?> list
        ? "[" + String.join(", ", list.stream().map(this::text).toList()) + "]"
        : value.toString();
  }

  private String colon(Object name) {
    return isJsonb || name.hashCode() % 2 == 0 ? ": " : "\n : ";
  }

  private Map<String, Object> members() {
    return isJsonb ? new TreeMap<>(JSONB) : new LinkedHashMap<>();
  }

  private String pick(String[] choices) {
    return choices[random.nextInt(choices.length)];
  }

  static String quoted(String text) {
    return new String(new JsonOutput().writeString(text).toBytes(), StandardCharsets.UTF_8);
  }
}
