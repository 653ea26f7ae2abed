package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.JsonSyntax;
import io.cdcaudit.transformer.json.Text;

/**
 * Every type but arrays. Most are strings in JSON; those with a form of their own have a constant
 * here.
 */
public enum ScalarType implements ColumnType {
  BOOLEAN {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      if (text.isAscii("t") || text.isAscii("1") || text.isAscii("true")) {
        output.writeAscii("true");
        return Fit.TYPED;
      }
      if (text.isAscii("f") || text.isAscii("0") || text.isAscii("false")) {
        output.writeAscii("false");
        return Fit.TYPED;
      }
      return Fit.UNTYPED;
    }
  },

  INTEGER {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      return Numbers.writeInteger(text, output);
    }

    @Override
    public boolean isIncomplete(int limit, JsonSlice value) {
      return Numbers.isRoundedInteger(value.text());
    }
  },

  NUMERIC {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      return Numbers.isNotFinite(text)
          ? writeString(text, output)
          : Numbers.writeDecimal(text, output);
    }
  },

  FLOATING_POINT {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      return Numbers.isNotFinite(text)
          ? writeString(text, output)
          : Numbers.writeAsIs(text, output);
    }
  },

  JSON {
    @Override
    public Fit write(JsonSlice value, JsonOutput output) {
      return value.isString() ? super.write(value, output) : writeAsIs(value, output);
    }

    @Override
    Fit writeText(Text text, JsonOutput output) {
      return writeJson(text, JsonSyntax.isStorableJson(text), output);
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.isTextCutAt(limit, value);
    }
  },

  JSONB {
    @Override
    public Fit write(JsonSlice value, JsonOutput output) {
      return value.isString() ? super.write(value, output) : writeAsIs(value, output);
    }

    @Override
    Fit writeText(Text text, JsonOutput output) {
      return writeJson(text, JsonSyntax.isJsonb(text), output);
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.isTextCutAt(limit, value);
    }
  },

  BYTES {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      return Hexadecimal.write(text, output);
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.areBytesCutAt(limit, value);
    }
  },

  TIMESTAMP {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      return DateTimes.writeWithoutZone(text, output);
    }
  },

  TIMESTAMP_WITH_TIME_ZONE {
    @Override
    Fit writeText(Text text, JsonOutput output) {
      return DateTimes.writeInUtc(text, output);
    }
  },

  /** What DMS carries as a string however long it is. */
  CHARACTERS {
    @Override
    public Fit write(JsonSlice value, JsonOutput output) {
      return value.isString() ? writeAsIs(value, output) : super.write(value, output);
    }

    @Override
    Fit writeText(Text text, JsonOutput output) {
      return writeString(text, output);
    }
  },

  /** Everything else: what is long among it, DMS carries as a LOB. */
  TEXT {
    @Override
    public Fit write(JsonSlice value, JsonOutput output) {
      return CHARACTERS.write(value, output);
    }

    @Override
    Fit writeText(Text text, JsonOutput output) {
      return writeString(text, output);
    }

    @Override
    public boolean isCutAt(int limit, JsonSlice value) {
      return LargeObjects.isTextCutAt(limit, value);
    }
  };

  static ScalarType of(String name) {
    return switch (name) {
      case "boolean" -> BOOLEAN;
      case "smallint", "integer", "bigint" -> INTEGER;
      case "numeric" -> NUMERIC;
      case "real", "double precision" -> FLOATING_POINT;
      case "json" -> JSON;
      case "jsonb" -> JSONB;
      case "bytea" -> BYTES;
      case "timestamp without time zone" -> TIMESTAMP;
      case "timestamp with time zone" -> TIMESTAMP_WITH_TIME_ZONE;
      case "character", "character varying" -> CHARACTERS;
      default -> TEXT;
    };
  }

  @Override
  public Fit write(JsonSlice value, JsonOutput output) {
    Fit fit = value.isStructure() ? Fit.UNTYPED : writeText(value.text(), output);
    return fit == Fit.UNTYPED ? UnknownType.INSTANCE.write(value, output) : fit;
  }

  @Override
  public boolean isCutAt(int limit, JsonSlice value) {
    return false;
  }

  /**
   * Writes the characters of a string, or a literal; writes nothing unless they are of the type.
   */
  abstract Fit writeText(Text text, JsonOutput output);

  private static Fit writeAsIs(JsonSlice value, JsonOutput output) {
    output.write(value.bytes(), value.start(), value.end());
    return Fit.TYPED;
  }

  private static Fit writeJson(Text text, boolean isStorable, JsonOutput output) {
    if (!isStorable) {
      return Fit.UNTYPED;
    }
    output.write(text.bytes(), text.start(), text.end());
    return Fit.TYPED;
  }

  private static Fit writeString(Text text, JsonOutput output) {
    output.writeString(text.bytes(), text.start(), text.end());
    return Fit.TYPED;
  }
}
