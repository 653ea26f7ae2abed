package io.cdcaudit.connect;

import io.cdcaudit.postgres.JsonDepth;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

/**
 * Value converter of the sink. It turns an audit event in plain JSON into a struct of one fixed
 * schema, the columns of the audit table. It turns an event that the table cannot hold into a
 * {@link RefusedEvent}. {@link AuditSinkTask} sends that to the dead-letter topic and stores the
 * events around it.
 *
 * <p>A record without a value is refused too. Nothing in the pipeline writes one, so a person
 * should look at it.
 */
public final class AuditEventConverter implements Converter {
  static final AuditEventDefinition DEFINITION = AuditEventDefinition.load();

  /**
   * It has no name, because Debezium matches the name of a record's schema against a pattern
   * several times for each record.
   */
  static final Schema SCHEMA = schema();

  private static final Map<String, Member> MEMBERS = members();

  // Jackson's usual limits are narrower than what a row of PostgreSQL may hold.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(JsonDepth.DEEPEST_READ)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  /** A column together with its field in {@link #SCHEMA}; {@code bit} marks it as seen. */
  private record Member(AuditEventDefinition.Column column, Field field, long bit) {}

  @Override
  public void configure(Map<String, ?> configuration, boolean isKey) {
    if (isKey) {
      throw new ConfigException(
          "key.converter",
          AuditEventConverter.class.getName(),
          "it reads audit events, which are values; use"
              + " org.apache.kafka.connect.storage.StringConverter for keys");
    }
  }

  @Override
  public SchemaAndValue toConnectData(String topic, byte[] value) {
    try {
      return new SchemaAndValue(SCHEMA, read(value));
    } catch (Refusal refusal) {
      return new SchemaAndValue(null, new RefusedEvent(refusal.getMessage()));
    }
  }

  private static Struct read(byte[] json) throws Refusal {
    if (json == null) {
      throw refused("the record has no value; allowed is a JSON object");
    }
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      return read(parser, json);
    } catch (StreamReadException | JacksonIOException error) {
      // The parser's message would quote the document.
      throw refused(
          "the value is not JSON (it breaks off at byte %d of %d)", offset(error), json.length);
    }
  }

  /** Never needed: this converter serves a sink. */
  @Override
  public byte[] fromConnectData(String topic, Schema schema, Object value) {
    throw new DataException(
        AuditEventConverter.class.getName() + " reads audit events; it does not write them");
  }

  private static Struct read(JsonParser parser, byte[] json) throws Refusal {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw refused(
          "the value is %s; allowed is a JSON object", shape(parser.currentToken(), parser));
    }
    Struct event = new Struct(SCHEMA);
    long seen = 0;
    for (String name = parser.nextName(); name != null; name = parser.nextName()) {
      Member member = MEMBERS.get(name);
      if (member == null) {
        throw refused(
            "it has the unknown field \"%s\"; allowed are %s", abbreviated(name), MEMBERS.keySet());
      }
      if ((seen & member.bit) != 0) {
        throw refused("it has the field \"%s\" twice", name);
      }
      seen |= member.bit;
      if (parser.nextToken() != JsonToken.VALUE_NULL) {
        event.put(member.field, value(member.column, parser, json));
      }
    }
    if (parser.nextToken() != null) {
      throw refused("more follows after the JSON object");
    }
    check(event);
    return event;
  }

  private static Object value(AuditEventDefinition.Column column, JsonParser parser, byte[] json)
      throws Refusal {
    JsonToken token = parser.currentToken();
    Object value = column.type().read(parser, json);
    if (value == null) {
      throw refused(
          "the field \"%s\" is %s; allowed is %s",
          column.name(), shape(token, parser), column.type().allowed());
    }
    return value;
  }

  private static void check(Struct event) throws Refusal {
    for (Member member : MEMBERS.values()) {
      if (member.column.required() && event.get(member.field) == null) {
        throw refused("the field \"%s\" is missing; it is required", member.column.name());
      }
    }
    String operation = event.getString("operation");
    if (!DEFINITION.operations().contains(operation)) {
      throw refused(
          "the field \"operation\" is a string of %d characters; allowed are %s",
          operation.length(), DEFINITION.operations());
    }
  }

  /** A value's kind and size, without the value. */
  private static String shape(JsonToken token, JsonParser parser) {
    if (token == null) {
      return "empty";
    }
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string of " + parser.getStringLength() + " characters";
      case VALUE_NUMBER_INT -> "an integer";
      case VALUE_NUMBER_FLOAT -> "a number with a fraction or exponent";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      default -> "of the kind " + token;
    };
  }

  private static String abbreviated(String name) {
    return name.length() <= 64 ? name : name.substring(0, 64) + "…";
  }

  private static long offset(Exception error) {
    return error instanceof StreamReadException read && read.getLocation() != null
        ? Math.max(0, read.getLocation().getByteOffset())
        : 0;
  }

  private static Refusal refused(String reason, Object... arguments) {
    return new Refusal("Audit event refused: " + reason.formatted(arguments) + ".");
  }

  /** Ends the reading of an event. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    Refusal(String reason) {
      super(reason, null, false, false);
    }
  }

  private static Schema schema() {
    SchemaBuilder builder = SchemaBuilder.struct();
    for (AuditEventDefinition.Column column : DEFINITION.columns()) {
      builder.field(column.name(), column.type().schema(column.required()));
    }
    return builder.build();
  }

  private static Map<String, Member> members() {
    Map<String, Member> members = new LinkedHashMap<>();
    for (AuditEventDefinition.Column column : DEFINITION.columns()) {
      Field field = SCHEMA.field(column.name());
      members.put(column.name(), new Member(column, field, 1L << field.index()));
    }
    return members;
  }
}
