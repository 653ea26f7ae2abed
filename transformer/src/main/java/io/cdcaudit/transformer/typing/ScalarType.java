package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.JsonSyntax;
import io.cdcaudit.transformer.json.Text;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Every type but arrays. Most are strings in JSON; those with a form of their own have a constant
 * here.
 */
public enum ScalarType implements ColumnType {
  BOOLEAN {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      if (text.isAscii("t") || text.isAscii("1") || text.isAscii("true")) {
        output.writeAscii("true");
        return WriteResult.TYPED;
      }
      if (text.isAscii("f") || text.isAscii("0") || text.isAscii("false")) {
        output.writeAscii("false");
        return WriteResult.TYPED;
      }
      return WriteResult.UNTYPED;
    }
  },

  INTEGER {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return Numbers.writeInteger(text, output);
    }

    @Override
    public boolean isIncomplete(int limit, JsonSlice value) {
      return Numbers.isRoundedInteger(value.text());
    }
  },

  NUMERIC {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return Numbers.isNotFinite(text)
          ? writeString(text, output)
          : Numbers.writeDecimal(text, output);
    }
  },

  /** A numeric without a precision: DMS keeps six decimals, and no value shows whether it lost any. */
  NUMERIC_WITHOUT_PRECISION {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return Numbers.isNotFinite(text) ? writeString(text, output) : WriteResult.INCOMPLETE;
    }

    @Override
    public boolean isIncomplete(int limit, JsonSlice value) {
      return !Numbers.isNotFinite(value.text());
    }
  },

  /** DMS leaves the zone out, so that nothing is known of the moment. */
  TIME_WITH_TIME_ZONE {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return hasZone(text) ? writeString(text, output) : WriteResult.INCOMPLETE;
    }

    @Override
    public boolean isIncomplete(int limit, JsonSlice value) {
      return !hasZone(value.text());
    }

    private boolean hasZone(Text text) {
      return ZONE.matcher(text.toString()).find();
    }
  },

  FLOATING_POINT {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return Numbers.isNotFinite(text)
          ? writeString(text, output)
          : Numbers.writeAsIs(text, output);
    }
  },

  JSON {
    @Override
    public WriteResult write(JsonSlice value, JsonOutput output) {
      return value.isString()
          ? writeDocument(value, JsonSyntax::isStorableJson, output)
          : writeAsIs(value, output);
    }

    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return writeJson(text, JsonSyntax.isStorableJson(text), output);
    }

    @Override
    public boolean isDocument() {
      return true;
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.isTextCutAt(limit, value);
    }
  },

  JSONB {
    @Override
    public WriteResult write(JsonSlice value, JsonOutput output) {
      return value.isString()
          ? writeDocument(value, JsonSyntax::isJsonb, output)
          : writeAsIs(value, output);
    }

    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return writeJson(text, JsonSyntax.isJsonb(text), output);
    }

    @Override
    public boolean isDocument() {
      return true;
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.isTextCutAt(limit, value);
    }
  },

  BYTES {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return Hexadecimal.write(text, output);
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.areBytesCutAt(limit, value);
    }
  },

  TIMESTAMP {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return DateTimes.writeWithoutZone(text, output);
    }
  },

  TIMESTAMP_WITH_TIME_ZONE {
    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return DateTimes.writeInUtc(text, output);
    }
  },

  /** Types that DMS carries as a string of any length. */
  CHARACTERS {
    @Override
    public WriteResult write(JsonSlice value, JsonOutput output) {
      return value.isString() ? writeAsIs(value, output) : super.write(value, output);
    }

    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return writeString(text, output);
    }
  },

  /** All other types. DMS carries their long values as LOBs. */
  TEXT {
    @Override
    public WriteResult write(JsonSlice value, JsonOutput output) {
      return CHARACTERS.write(value, output);
    }

    @Override
    WriteResult writeText(Text text, JsonOutput output) {
      return writeString(text, output);
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.isTextCutAt(limit, value);
    }
  };

  private static final Pattern ZONE = Pattern.compile("[+-][0-9:]+$|Z$");

  /** Whether values are JSON documents, which DMS sends as strings. */
  public boolean isDocument() {
    return false;
  }

  static ScalarType of(String name) {
    return switch (name) {
      case "boolean" -> BOOLEAN;
      case "smallint", "integer", "bigint" -> INTEGER;
      case "numeric" -> NUMERIC;
      case "real", "double precision" -> FLOATING_POINT;
      case "json" -> JSON;
      case "jsonb" -> JSONB;
      case "bytea" -> BYTES;
      case "time with time zone" -> TIME_WITH_TIME_ZONE;
      case "timestamp without time zone" -> TIMESTAMP;
      case "timestamp with time zone" -> TIMESTAMP_WITH_TIME_ZONE;
      case "character", "character varying" -> CHARACTERS;
      default -> TEXT;
    };
  }

  @Override
  public WriteResult write(JsonSlice value, JsonOutput output) {
    WriteResult result =
        value.isStructure() ? WriteResult.UNTYPED : writeText(value.text(), output);
    return result == WriteResult.UNTYPED ? UnknownType.INSTANCE.write(value, output) : result;
  }

  @Override
  public boolean isCutAt(int limit, JsonSlice value) {
    return false;
  }

  /**
   * Writes the characters of a string, or a literal. Writes nothing if they are not of the type.
   */
  abstract WriteResult writeText(Text text, JsonOutput output);

  private static WriteResult writeAsIs(JsonSlice value, JsonOutput output) {
    output.write(value.bytes(), value.start(), value.end());
    return WriteResult.TYPED;
  }

  /** Decodes the document where it will stand, and checks it there. */
  private static WriteResult writeDocument(
      JsonSlice value, Predicate<Text> isStorable, JsonOutput output) {
    int start = output.length();
    output.writeDecoded(value.bytes(), value.start() + 1, value.end() - 1);
    if (isStorable.test(output.textFrom(start))) {
      return WriteResult.TYPED;
    }
    output.truncate(start);
    return UnknownType.INSTANCE.write(value, output);
  }

  private static WriteResult writeJson(Text text, boolean isStorable, JsonOutput output) {
    if (!isStorable) {
      return WriteResult.UNTYPED;
    }
    output.write(text.bytes(), text.start(), text.end());
    return WriteResult.TYPED;
  }

  private static WriteResult writeString(Text text, JsonOutput output) {
    output.writeString(text.bytes(), text.start(), text.end());
    return WriteResult.TYPED;
  }
}
