package io.cdcaudit.transformer.json;

import io.cdcaudit.postgres.JsonDepth;
import io.cdcaudit.postgres.NumericRange;
import io.cdcaudit.postgres.StorableText;
import io.cdcaudit.transformer.contract.SignalContract;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.SerializableString;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonFactoryBuilder;
import tools.jackson.core.util.JsonRecyclerPools;

/**
 * How the transformer reads JSON: as UTF-8, and with no limits but those of Kafka's message size
 * and of PostgreSQL.
 */
public final class JsonSyntax {

  private static final StreamReadConstraints LIMITS =
      StreamReadConstraints.builder()
          .maxNestingDepth(JsonDepth.DEEPEST_WRITTEN)
          .maxStringLength(Integer.MAX_VALUE)
          .maxNameLength(Integer.MAX_VALUE)
          .maxNumberLength(NumericRange.LONGEST_NUMBER)
          .build();

  /** The depth of a signal's longest body, if all its characters were brackets. */
  private static final int DEEPEST_SIGNAL = SignalContract.LONGEST_BODY / 2;

  /**
   * Remembers names and makes equal ones identical. The names in records are columns, which are few
   * and always the same.
   */
  private static final JsonFactory RECORDS =
      factory().enable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES).build();

  /**
   * A separate factory: the names in jsonb values may be any, and must not crowd out those of
   * columns.
   */
  private static final JsonFactory VALUES =
      factory().disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES).build();

  /** For json values, which may repeat a name within an object. This factory refuses that. */
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
        // Each thread keeps its buffers. The default pool is shared, and costs more than a small
        // record.
        .recyclerPool(JsonRecyclerPools.threadLocalPool())
        .disable(TokenStreamFactory.Feature.CHARSET_DETECTION);
  }

  /** A parser of a whole record. */
  public static JsonParser parser(byte[] bytes) {
    return RECORDS.createParser(ObjectReadContext.empty(), bytes);
  }

  /** A parser of a signal's body. Sessions write bodies, so they may be nested deeply. */
  public static JsonParser signalParser(byte[] bytes) {
    return SIGNALS.createParser(ObjectReadContext.empty(), bytes);
  }

  /**
   * The value that the parser stands on. It then stands on what follows: so the parser alone looks
   * for the end of a string. The parser must read {@code bytes} from their beginning.
   */
  public static JsonSlice takeSlice(JsonParser parser, byte[] bytes) {
    return takeSlice(parser, bytes, null);
  }

  /** The same, and faster when the member's name that likely follows is given. */
  public static JsonSlice takeSlice(JsonParser parser, byte[] bytes, SerializableString likelyName) {
    int start = tokenStart(parser);
    if (parser.currentToken().isStructStart()) {
      parser.skipChildren();
      int end = tokenEnd(parser);
      moveOn(parser, likelyName);
      return new JsonSlice(bytes, start, end);
    }
    moveOn(parser, likelyName);
    int end = parser.currentToken() == null ? bytes.length : tokenStart(parser);
    while (isBetweenValues(bytes[end - 1])) {
      end--;
    }
    return new JsonSlice(bytes, start, end);
  }

  private static void moveOn(JsonParser parser, SerializableString likelyName) {
    if (likelyName == null) {
      parser.nextToken();
    } else {
      parser.nextName(likelyName);
    }
  }

  /** Where the current token begins. */
  public static int tokenStart(JsonParser parser) {
    return (int) parser.currentTokenLocation().getByteOffset();
  }

  /** Where the current token, read to its end, ends. */
  public static int tokenEnd(JsonParser parser) {
    return (int) parser.currentLocation().getByteOffset();
  }

  /** Whether a JSON value is nested deeper than {@link JsonDepth#DEEPEST_WRITTEN}. */
  public static boolean isTooDeep(byte[] json) {
    if (json.length <= 2 * JsonDepth.DEEPEST_WRITTEN) {
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
   * Whether a value of type json is one JSON value that jsonb would take and keep as it is. The
   * type json also stores {@code \u0000}, unpaired surrogates and numbers beyond the range of
   * numeric, which jsonb refuses. And it stores every member of a repeated name, of which jsonb
   * keeps the last.
   */
  public static boolean isStorableJson(Text text) {
    return isStorable(text, false);
  }

  private static boolean isStorable(Text text, boolean writtenByJsonb) {
    return isOneValue(text, writtenByJsonb)
        && StorableText.hasStorableEscapes(text.bytes(), text.start(), text.end());
  }

  private static boolean isOneValue(Text text, boolean writtenByJsonb) {
    JsonFactory factory = writtenByJsonb ? VALUES : DISTINCT_VALUES;
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

  private static boolean isBetweenValues(byte character) {
    return character == ','
        || character == ' '
        || character == '\n'
        || character == '\r'
        || character == '\t';
  }
}
