package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.contract.SignalContract;
import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.JsonSyntax;
import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.Operation;
import io.cdcaudit.transformer.record.RefusedRecordException;
import io.cdcaudit.transformer.record.RowImage;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.shape.ShapeJson;
import io.cdcaudit.transformer.shape.ShapeVersion;
import io.cdcaudit.transformer.shape.TableShape;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Turns the rows of {@code capture.signal} into outcomes. They say what DMS does not say, in the
 * transaction that it is about.
 */
final class SignalEvents {

  static final TableName TABLE =
      new TableName(SignalContract.SCHEMA, SignalContract.TABLE);

  private static final String ACTOR = "actor";
  private static final String REQUEST = "request_id";

  /** Where the facts of a session signal stand that make up its event's context. */
  private static final List<Map.Entry<String, String>> CONTEXT_FACTS =
      SignalContract.SESSION_FACTS.entrySet().stream()
          .filter(fact -> !fact.getKey().equals(ACTOR) && !fact.getKey().equals(REQUEST))
          .toList();

  /** The member of a context that could not stay as it was; the source's triggers name it so. */
  private static final String AS_TEXT = "capture.context";

  /** Members of a shape that its event's {@code after} holds. */
  private static final List<String> SHAPE_MEMBERS =
      List.of("relation", "root", "partitioned", "key", "columns", "foreign_keys");

  /** What rows that were there hold in new columns. */
  private static final String ADDED = "added";

  /** Members of a catalog signal that say what changed; they go into the event's context. */
  private static final List<String> CHANGE_MEMBERS =
      List.of("renamed_from", "changes", ADDED, "rewritten");

  /** Members of a load signal: between which times, and how many rows. */
  private static final List<String> LOAD_TIMES = List.of("started_at", "ended_at");

  private static final String LOAD_ROWS = "rows";

  private static final JsonMapper TREES = JsonMapper.builder().build();

  private final EventIdentity identity;
  private final ShapeHistories histories;

  SignalEvents(EventIdentity identity, ShapeHistories histories) {
    this.identity = identity;
    this.histories = histories;
  }

  /**
   * @param order the record's place in the source's stream
   */
  Outcome of(ChangeRecord record, long order) {
    if (record.operation() != Operation.INSERT && record.operation() != Operation.LOAD) {
      throw invalid("rows of capture.signal are only ever inserted");
    }
    Map<String, String> row = strings(record.data());
    String kind = row.getOrDefault("kind", "");
    if (record.operation() == Operation.LOAD && !kind.equals("catalog")) {
      return new Outcome.Ignored(IgnoredKind.LOADED_SIGNAL, TABLE);
    }
    if (kind.equals("session")) {
      return audited(record, order, AuditOperation.CONTEXT, TABLE, session(row));
    }
    byte[] body = body(row);
    if (kind.equals("catalog")) {
      return shapeDeclared(record, order, subject(row), body);
    }
    Map<String, JsonSlice> members = members(body);
    return switch (kind) {
      case "context" -> audited(record, order, AuditOperation.CONTEXT, TABLE, context(members));
      case "canary" ->
          audited(
              record, order, AuditOperation.CANARY, TABLE, new Context(null, null, details(body)));
      case "truncate" ->
          audited(record, order, AuditOperation.TRUNCATE, subject(row), Context.NONE);
      case "load" -> audited(record, order, AuditOperation.LOAD, subject(row), load(members));
      default ->
          throw invalid(
              "kind is \"%s\"; known are %s"
                  .formatted(kind, String.join(", ", SignalContract.KINDS)));
    };
  }

  private Outcome audited(
      ChangeRecord record,
      long order,
      AuditOperation operation,
      TableName table,
      Context context) {
    return new Outcome.Audited(event(record, order, operation, table, RowImages.NONE, context));
  }

  private AuditEvent event(
      ChangeRecord record,
      long order,
      AuditOperation operation,
      TableName table,
      RowImages images,
      Context context) {
    return new AuditEvent(
        identity.ofChange(record.commit(), table),
        operation,
        table,
        null,
        record.commit(),
        order,
        record.capturedAt(),
        images,
        context);
  }

  private Outcome shapeDeclared(
      ChangeRecord record, long order, TableName table, byte[] bytes) {
    JsonNode body = tree(bytes);
    ShapeVersion version =
        ShapeVersion.of(
            ShapeJson.readNumber(body), order, record.commit(), record.capturedAt(), shape(body));
    String reason = body.path("reason").stringValue("");
    if (record.operation() == Operation.LOAD || reason.equals("republish")) {
      return new Outcome.ShapeDeclared(table, version, null);
    }
    ShapeVersion previous = histories.historyOf(table).before(version);
    RowImages shapes =
        new RowImages(
            null,
            previous == null ? null : bytes(previous.shape()),
            null,
            publishedShape(body),
            List.of(),
            List.of());
    return new Outcome.ShapeDeclared(
        table,
        version,
        event(record, order, AuditOperation.SCHEMA, table, shapes, reasonAndChanges(bytes)));
  }

  private static TableShape shape(JsonNode body) {
    try {
      return ShapeJson.readShape(body);
    } catch (RuntimeException incomplete) {
      throw invalid(
          "the body of the catalog signal is no table's shape: " + incomplete.getMessage());
    }
  }

  /** The context of a session signal, whose facts are in columns of their own. */
  private static Context session(Map<String, String> row) {
    String actorColumn = SignalContract.SESSION_FACTS.get(ACTOR);
    String actor = row.get(actorColumn);
    if (actor == null) {
      throw invalid("a signal of kind session needs " + actorColumn + ", the actor");
    }
    JsonOutput facts = new JsonOutput();
    String separator = "{";
    for (Map.Entry<String, String> fact : CONTEXT_FACTS) {
      String value = row.get(fact.getValue());
      if (value != null) {
        facts.writeAscii(separator).writeString(fact.getKey()).write(':').writeString(value);
        separator = ",";
      }
    }
    byte[] context = facts.length() == 0 ? null : facts.write('}').toBytes();
    return new Context(actor, row.get(SignalContract.SESSION_FACTS.get(REQUEST)), context);
  }

  /** Readers of the log calculate with it, so it must be what it says. */
  private static Context load(Map<String, JsonSlice> body) {
    JsonOutput load = new JsonOutput();
    String separator = "{";
    for (String member : LOAD_TIMES) {
      String time = string(body.get(member));
      try {
        load.writeAscii(separator).writeString(member).write(':');
        load.writeString(Timestamp.parse(time == null ? "" : time).text());
      } catch (DateTimeException noTime) {
        throw invalid("a signal of kind load needs " + member + ", a time");
      }
      separator = ",";
    }
    JsonSlice rows = body.get(LOAD_ROWS);
    if (rows == null || !rows.toString().matches("0|[1-9][0-9]{0,17}")) {
      throw invalid("a signal of kind load needs " + LOAD_ROWS + ", a count");
    }
    load.write(',').writeString(LOAD_ROWS).write(':').writeAscii(rows.toString()).write('}');
    return new Context(null, null, load.toBytes());
  }

  private static Context context(Map<String, JsonSlice> body) {
    JsonSlice details = body.get("context");
    return new Context(
        string(body.get(ACTOR)),
        string(body.get(REQUEST)),
        details == null || details.isNull() ? null : details(details.toBytes()));
  }

  /**
   * A JSON value as it is, or as a text if it is nested too deeply. A session must not lose its
   * actor because of its own words, and it must not hide who PostgreSQL says it is.
   */
  private static byte[] details(byte[] json) {
    if (!JsonSyntax.isTooDeep(json)) {
      return json;
    }
    JsonOutput details = new JsonOutput();
    details.write('{').writeString(AS_TEXT).write(':').writeString(json, 0, json.length);
    if (json[0] == '{') {
      Map<String, JsonSlice> members = members(json);
      for (Map.Entry<String, String> fact : CONTEXT_FACTS) {
        String value = string(members.get(fact.getKey()));
        if (value != null) {
          details.write(',').writeString(fact.getKey()).write(':').writeString(value);
        }
      }
    }
    return details.write('}').toBytes();
  }

  /** Why the shape was published, and what the source says of the change beside the shape. */
  private static Context reasonAndChanges(byte[] body) {
    Map<String, JsonSlice> members = members(body);
    JsonOutput details = new JsonOutput();
    details.writeAscii("{\"reason\":").writeString(orElse(string(members.get("reason")), ""));
    String command = string(members.get("command"));
    details.writeAscii(",\"command\":");
    if (command == null) {
      details.writeNull();
    } else {
      details.writeString(command);
    }
    for (String name : CHANGE_MEMBERS) {
      JsonSlice value = members.get(name);
      if (value != null) {
        details.write(',').writeString(name).write(':');
        if (name.equals(ADDED) && value.isStructure()) {
          writeAdded(value, details);
        } else {
          details.write(value.bytes(), value.start(), value.end());
        }
      }
    }
    return new Context(null, null, details.write('}').toBytes());
  }

  /** Values of rows, with every digit. One that is too deep is left out: it is not known. */
  private static void writeAdded(JsonSlice added, JsonOutput details) {
    String separator = "{";
    for (Map.Entry<String, JsonSlice> column : members(added.toBytes()).entrySet()) {
      JsonSlice value = column.getValue();
      if (!JsonSyntax.isTooDeep(value.toBytes())) {
        details.writeAscii(separator).writeString(column.getKey()).write(':');
        details.write(value.bytes(), value.start(), value.end());
        separator = ",";
      }
    }
    details.writeAscii(separator.equals("{") ? "{}" : "}");
  }

  private static String orElse(String text, String other) {
    return text == null ? other : text;
  }

  /** The shape as readers of the log get it: more than the transformer needs itself. */
  private static byte[] publishedShape(JsonNode body) {
    ObjectNode shape = TREES.createObjectNode();
    copy(body, SHAPE_MEMBERS, shape);
    return TREES.writeValueAsBytes(shape);
  }

  private static void copy(JsonNode from, List<String> members, ObjectNode to) {
    for (String member : members) {
      if (from.has(member)) {
        to.set(member, from.get(member));
      }
    }
  }

  private static TableName subject(Map<String, String> row) {
    String schema = row.get("schema_name");
    String table = row.get("table_name");
    if (schema == null || table == null) {
      throw invalid("a signal of kind " + row.get("kind") + " needs schema_name and table_name");
    }
    return new TableName(schema, table);
  }

  private static byte[] body(Map<String, String> row) {
    StringBuilder pieces = new StringBuilder();
    for (String column : SignalContract.BODY_COLUMNS) {
      pieces.append(row.getOrDefault(column, ""));
    }
    return pieces.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * The members of a JSON object, each as it was sent. A tree of them could be too deep to write.
   */
  private static Map<String, JsonSlice> members(byte[] json) {
    try (JsonParser parser = JsonSyntax.signalParser(json)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        Map<String, JsonSlice> members = new LinkedHashMap<>();
        parser.nextToken();
        while (parser.currentToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          members.put(name, JsonSyntax.takeSlice(parser, json));
        }
        if (parser.nextToken() == null) {
          return members;
        }
      }
    } catch (JacksonException notJson) {
      // Falls through: the parser's message may quote the body.
    }
    throw invalid("the body of the signal is no JSON object");
  }

  /** The JSON object of a catalog signal, whose parts are small and not nested deeply. */
  private static JsonNode tree(byte[] body) {
    try (JsonParser parser = JsonSyntax.signalParser(body)) {
      JsonNode tree = TREES.readTree(parser);
      if (tree != null && tree.isObject() && parser.nextToken() == null) {
        return tree;
      }
    } catch (JacksonException notJson) {
      // Falls through: the parser's message may quote the body.
    }
    throw invalid("the body of the signal is no JSON object");
  }

  /** The text of a string; null for any other value. */
  private static String string(JsonSlice value) {
    return value != null && value.isString() ? value.text().toString() : null;
  }

  private static Map<String, String> strings(RowImage row) {
    Map<String, String> strings = new HashMap<>();
    for (int index = 0; index < row.size(); index++) {
      if (!row.value(index).isNull()) {
        strings.put(row.name(index), row.value(index).text().toString());
      }
    }
    return strings;
  }

  private static byte[] bytes(TableShape shape) {
    JsonOutput output = new JsonOutput();
    ShapeJson.writeShape(shape, output);
    return output.toBytes();
  }

  private static RefusedRecordException invalid(String message) {
    return new RefusedRecordException(DeadLetterReason.INVALID_SIGNAL, message);
  }
}
