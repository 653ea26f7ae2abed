package io.cdcaudit.connect;

import io.cdcaudit.postgres.StorableText;
import io.debezium.sink.valuebinding.ValueBindDescriptor;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * The PostgreSQL types of an audit event's columns. Each has the Connect schema by which Debezium's
 * sink binds it, and reads its JSON. A value that PostgreSQL would refuse is refused here, before a
 * whole batch fails.
 */
enum ColumnType {
  TIMESTAMPTZ(
      "timestamptz",
      () -> SchemaBuilder.string().name("io.debezium.time.ZonedTimestamp"),
      "an ISO-8601 time with its zone, such as 2026-01-31T23:59:59.123456Z") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      String text = string(parser);
      return text != null && Times.isTimestamp(text) ? text : null;
    }

    @Override
    ValueBindDescriptor parameter(int index, Object value) {
      return new ValueBindDescriptor(
          index, value, Types.OTHER); // PostgreSQL reads the text itself.
    }
  },

  UUID(
      "uuid",
      () -> SchemaBuilder.string().name("io.debezium.data.Uuid"),
      "a UUID of 36 characters") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      String text = string(parser);
      return text != null && isUuid(text) ? text : null;
    }
  },

  TEXT(
      "text", SchemaBuilder::string, "a string without \\u0000 and without half a surrogate pair") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      String text = string(parser);
      return text != null && StorableText.isStorable(text) ? text : null;
    }
  },

  BIGINT("bigint", SchemaBuilder::int64, "an integer of at most 64 bits") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      return integer(parser, JsonParser.NumberType.LONG) ? parser.getLongValue() : null;
    }
  },

  INTEGER("integer", SchemaBuilder::int32, "an integer of at most 32 bits") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      return integer(parser, JsonParser.NumberType.INT) ? parser.getIntValue() : null;
    }
  },

  JSONB(
      "jsonb",
      () -> SchemaBuilder.string().name("io.debezium.data.Json"),
      "JSON in UTF-8 without \\u0000 and without half a surrogate pair") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      return StorableJson.read(parser, json);
    }
  },

  TEXT_ARRAY("text[]", () -> SchemaBuilder.array(Schema.STRING_SCHEMA), "an array of strings") {
    @Override
    Object read(JsonParser parser, byte[] json) {
      if (parser.currentToken() != JsonToken.START_ARRAY) {
        return null;
      }
      List<Object> elements = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        Object element = TEXT.read(parser, json);
        if (element == null) {
          return null;
        }
        elements.add(element);
      }
      return elements;
    }

    @Override
    ValueBindDescriptor parameter(int index, Object value) {
      return value == null
          ? super.parameter(index, null)
          : new ValueBindDescriptor(index, value, Types.ARRAY, "text");
    }
  };

  private final String typeName;
  private final Supplier<SchemaBuilder> schema;
  private final String allowed;

  ColumnType(String typeName, Supplier<SchemaBuilder> schema, String allowed) {
    this.typeName = typeName;
    this.schema = schema;
    this.allowed = allowed;
  }

  /**
   * Reads the value that the parser stands on, to its end.
   *
   * @param json the whole document that the parser reads
   * @return the Connect value, or null when it is not what {@link #allowed()} says; JSON's null is
   *     never passed here
   */
  abstract Object read(JsonParser parser, byte[] json);

  /** The value, which may be null, as a parameter of Debezium's statement. */
  ValueBindDescriptor parameter(int index, Object value) {
    return new ValueBindDescriptor(index, value);
  }

  /** What a value of this type must look like, for an error message. */
  String allowed() {
    return allowed;
  }

  /** The type by its name in PostgreSQL. */
  static ColumnType named(String typeName) {
    return Arrays.stream(values())
        .filter(type -> type.typeName.equals(typeName))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "audit-events-table.json has a column of type %s; allowed are %s"
                        .formatted(
                            typeName,
                            Arrays.stream(values()).map(type -> type.typeName).toList())));
  }

  /** The Connect schema of a column of this type. */
  Schema schema(boolean required) {
    return required ? schema.get().build() : schema.get().optional().build();
  }

  private static String string(JsonParser parser) {
    return parser.currentToken() == JsonToken.VALUE_STRING ? parser.getString() : null;
  }

  private static boolean integer(JsonParser parser, JsonParser.NumberType widest) {
    return parser.currentToken() == JsonToken.VALUE_NUMBER_INT
        && parser.getNumberType().compareTo(widest) <= 0;
  }

  private static boolean isUuid(String text) {
    if (text.length() != 36) {
      return false;
    }
    for (int index = 0; index < 36; index++) {
      boolean hyphen = index == 8 || index == 13 || index == 18 || index == 23;
      if (hyphen
          ? text.charAt(index) != '-'
          : Character.digit(text.charAt(index), 16) < 0 || text.charAt(index) > 'f') {
        return false;
      }
    }
    return true;
  }
}
