package io.cdcaudit.transformer.json;

import io.cdcaudit.transformer.contract.JsonLimits;
import io.cdcaudit.transformer.contract.SignalContract;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonFactoryBuilder;
import tools.jackson.core.util.JsonRecyclerPools;

/**
 * How the transformer reads JSON: as UTF-8, and with limits that only Kafka's message size and
 * PostgreSQL set.
 */
public final class JsonSyntax {

  /**
   * Deeper nesting is no JSON to the transformer, so that no reader behind it overflows its stack.
   */
  public static final int LARGEST_DEPTH = JsonLimits.DEEPEST;

  private static final StreamReadConstraints LIMITS =
      StreamReadConstraints.builder()
          .maxNestingDepth(LARGEST_DEPTH)
          .maxStringLength(Integer.MAX_VALUE)
          .maxNameLength(Integer.MAX_VALUE)
          // All digits of PostgreSQL's numeric, with sign, point and exponent.
          .maxNumberLength(150_000)
          .build();

  /** So deep is the longest body of a signal, were it all brackets. */
  private static final int DEEPEST_SIGNAL = SignalContract.LONGEST_BODY / 2;

  /**
   * Remembers names and makes equal ones identical: those of records are columns, few and always
   * the same.
   */
  private static final JsonFactory RECORDS =
      factory().enable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES).build();

  /**
   * A factory of its own, so that names in jsonb values, which may be any, never crowd out those of
   * columns.
   */
  private static final JsonFactory VALUES =
      factory().disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES).build();

  /** For values that may repeat a name within an object, which it refuses. */
  private static final JsonFactory DISTINCT_VALUES =
      factory()
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private static final JsonFactory SIGNALS =
      factory()
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .streamReadConstraints(LIMITS.rebuild().maxNestingDepth(DEEPEST_SIGNAL).build())
          .build();

  private JsonSyntax() {}

  private static JsonFactoryBuilder factory() {
    return JsonFactory.builder()
        .streamReadConstraints(LIMITS)
        // Each thread keeps its buffers: the default pool is shared, and dearer than a small
        // record.
        .recyclerPool(JsonRecyclerPools.threadLocalPool())
        .disable(TokenStreamFactory.Feature.CHARSET_DETECTION);
  }

  /** A parser of a whole record. */
  public static JsonParser parser(byte[] bytes) {
    return RECORDS.createParser(ObjectReadContext.empty(), bytes);
  }

  /** A parser of a signal's body, which is as deep as a session chose to make it. */
  public static JsonParser signalParser(byte[] bytes) {
    return SIGNALS.createParser(ObjectReadContext.empty(), bytes);
  }

  /**
   * The value that the parser, which reads {@code bytes} from their beginning, stands on. The
   * parser need not decode a scalar to find its end, which it does on its next step anyway; until
   * then a scalar is not known to be well-formed.
   */
  public static JsonSlice slice(JsonParser parser, byte[] bytes) {
    int start = tokenStart(parser);
    if (parser.currentToken().isStructStart()) {
      parser.skipChildren();
      return new JsonSlice(bytes, start, tokenEnd(parser));
    }
    return new JsonSlice(
        bytes, start, bytes[start] == '"' ? endOfString(bytes, start) : endOfLiteral(bytes, start));
  }

  /** Where the current token begins. */
  public static int tokenStart(JsonParser parser) {
    return (int) parser.currentTokenLocation().getByteOffset();
  }

  /** Where the current token, read to its end, ends. */
  public static int tokenEnd(JsonParser parser) {
    return (int) parser.currentLocation().getByteOffset();
  }

  /** Whether a JSON value is nested deeper than {@link #LARGEST_DEPTH}. */
  public static boolean isTooDeep(byte[] json) {
    if (json.length <= 2 * LARGEST_DEPTH) {
      return false;
    }
    try (JsonParser parser = VALUES.createParser(ObjectReadContext.empty(), json)) {
      parser.nextToken();
      parser.skipChildren();
      return false;
    } catch (StreamConstraintsException tooDeep) {
      return true;
    }
  }

  /** Whether a value of type jsonb, as PostgreSQL writes it, arrived as one JSON value. */
  public static boolean isJsonb(Text text) {
    return isStorable(text, true);
  }

  /**
   * Whether a value of type json is one JSON value that jsonb would take, and keep as it is: json
   * also stores {@code \u0000}, unpaired surrogates and numbers beyond numeric's range, which jsonb
   * refuses, and every member of a name, of which jsonb keeps the last.
   */
  public static boolean isStorableJson(Text text) {
    return isStorable(text, false);
  }

  private static boolean isStorable(Text text, boolean writtenByJsonb) {
    JsonFactory factory = writtenByJsonb ? VALUES : DISTINCT_VALUES;
    boolean hasUnicodeEscapes = hasUnicodeEscapes(text);
    try (JsonParser parser =
        factory.createParser(
            ObjectReadContext.empty(), text.bytes(), text.start(), text.length())) {
      if (parser.nextToken() == null) {
        return false;
      }
      int depth = 0;
      do {
        JsonToken token = parser.currentToken();
        if (token.isStructStart()) {
          depth++;
        } else if (token.isStructEnd()) {
          depth--;
        } else if (hasUnicodeEscapes
            && (token == JsonToken.VALUE_STRING || token == JsonToken.PROPERTY_NAME)
            && !isStorableText(parser.getString())) {
          return false;
        } else if (!writtenByJsonb && token.isNumeric() && !isWithinNumeric(parser)) {
          return false;
        }
        if (depth == 0) {
          return parser.nextToken() == null;
        }
      } while (parser.nextToken() != null);
      return false;
    } catch (JacksonException notJson) {
      return false;
    }
  }

  private static boolean isWithinNumeric(JsonParser parser) {
    int start = parser.getStringOffset();
    return NumericRange.holds(
        parser.getStringCharacters(), start, start + parser.getStringLength());
  }

  private static int endOfString(byte[] bytes, int start) {
    int index = start + 1;
    while (index < bytes.length && bytes[index] != '"') {
      index += bytes[index] == '\\' ? 2 : 1;
    }
    return Math.min(index + 1, bytes.length);
  }

  private static int endOfLiteral(byte[] bytes, int start) {
    int index = start;
    while (index < bytes.length && isOfLiteral(bytes[index])) {
      index++;
    }
    return index;
  }

  private static boolean isOfLiteral(byte character) {
    return character > ' ' && character != ',' && character != '}' && character != ']';
  }

  private static boolean hasUnicodeEscapes(Text text) {
    for (int index = 0; index < text.length() - 1; index++) {
      if (text.at(index) == '\\' && text.at(index + 1) == 'u') {
        return true;
      }
    }
    return false;
  }

  private static boolean isStorableText(String value) {
    for (int index = 0; index < value.length(); index++) {
      char character = value.charAt(index);
      if (character == 0 || Character.isLowSurrogate(character)) {
        return false;
      }
      if (Character.isHighSurrogate(character)) {
        index++;
        if (index == value.length() || !Character.isLowSurrogate(value.charAt(index))) {
          return false;
        }
      }
    }
    return true;
  }
}
