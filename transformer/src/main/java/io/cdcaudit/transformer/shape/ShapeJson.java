package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.record.Timestamp;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** Table shapes and histories as JSON; see {@code contract/catalog-entry.schema.json}. */
public final class ShapeJson {

  private ShapeJson() {}

  /** Writes {@code {"key": […], "columns": […]}}. */
  public static void writeShape(TableShape shape, JsonOutput output) {
    output.write('{');
    writeKeyAndColumns(shape, false, output);
    output.write('}');
  }

  public static byte[] writeHistory(ShapeHistory history) {
    JsonOutput output = new JsonOutput();
    output.writeAscii("{\"schema_name\":").writeString(history.table().schema());
    output.writeAscii(",\"table_name\":").writeString(history.table().table());
    output.writeAscii(",\"versions\":[");
    String separator = "";
    for (ShapeVersion version : history.versions()) {
      output.writeAscii(separator);
      writeVersion(version, output);
      separator = ",";
    }
    return output.writeAscii("]}").toBytes();
  }

  /**
   * @throws RuntimeException if the value is no catalog entry
   */
  public static ShapeHistory readHistory(JsonNode entry) {
    TableName table =
        new TableName(
            entry.required("schema_name").stringValue(),
            entry.required("table_name").stringValue());
    List<ShapeVersion> versions =
        entry.required("versions").values().stream().map(ShapeJson::readVersion).toList();
    return new ShapeHistory(table, versions);
  }

  /**
   * @throws RuntimeException if the members {@code replica_identity}, {@code key} and {@code
   *     columns} make no shape
   */
  public static TableShape readShape(JsonNode node) {
    String identity = node.required("replica_identity").stringValue().toUpperCase(Locale.ROOT);
    return new TableShape(
        readRoot(node.path("root")),
        ReplicaIdentity.valueOf(identity),
        node.required("key").values().stream().map(JsonNode::stringValue).toList(),
        node.required("columns").values().stream().map(ShapeJson::readColumn).toList());
  }

  /** The number of a catalog signal, or of a version; null if it has none. */
  public static Long readNumber(JsonNode node) {
    JsonNode number = node.path("number");
    return number.isIntegralNumber() && number.canConvertToLong() ? number.longValue() : null;
  }

  private static TableName readRoot(JsonNode root) {
    return root.isObject()
        ? new TableName(
            root.required("schema").stringValue(), root.required("table").stringValue())
        : null;
  }

  private static void writeVersion(ShapeVersion version, JsonOutput output) {
    output.write('{');
    if (version.number() != null) {
      output.writeAscii("\"number\":").writeNumber(version.number()).write(',');
    }
    if (version.order() != null) {
      output.writeAscii("\"stream_order\":").writeNumber(version.order()).write(',');
    }
    Commit since = version.since();
    if (since != null) {
      output.writeAscii("\"committed_at\":").writeString(since.time().text());
      output.writeAscii(",\"transaction_id\":").writeNumber(since.transactionId());
      output.writeAscii(",\"sequence\":").writeNumber(since.sequence());
      output.writeAscii(",\"position\":").writeString(since.streamPosition()).write(',');
    }
    output.writeAscii("\"captured_at\":").writeString(version.capturedAt().text());
    String identity = version.shape().replicaIdentity().name().toLowerCase(Locale.ROOT);
    output.writeAscii(",\"replica_identity\":").writeString(identity).write(',');
    TableName root = version.shape().root();
    if (root != null) {
      output.writeAscii("\"root\":{\"schema\":").writeString(root.schema());
      output.writeAscii(",\"table\":").writeString(root.table()).writeAscii("},");
    }
    writeKeyAndColumns(version.shape(), true, output);
    output.write('}');
  }

  /**
   * @param isEntry whether to write what only the transformer needs
   */
  private static void writeKeyAndColumns(TableShape shape, boolean isEntry, JsonOutput output) {
    output.writeAscii("\"key\":[");
    String separator = "";
    for (String name : shape.key()) {
      output.writeAscii(separator).writeString(name);
      separator = ",";
    }
    output.writeAscii("],\"columns\":[");
    separator = "";
    for (ShapeColumn column : shape.columns()) {
      output.writeAscii(separator).writeAscii("{\"name\":").writeString(column.name());
      output.writeAscii(",\"type\":").writeString(column.type());
      output.writeAscii(isEntry && column.isVirtual() ? ",\"generated\":\"virtual\"" : "");
      output.writeAscii(isEntry && column.isShortened() ? ",\"shortened\":true" : "");
      output.writeAscii(column.ignored() ? ",\"ignored\":true" : "");
      output.writeAscii(column.redacted() ? ",\"redacted\":true" : "").write('}');
      separator = ",";
    }
    output.write(']');
  }

  private static ShapeVersion readVersion(JsonNode node) {
    Commit since =
        node.path("committed_at").isString()
            ? new Commit(
                Timestamp.parse(node.required("committed_at").stringValue()),
                node.required("transaction_id").longValue(),
                node.required("sequence").intValue(),
                node.required("position").stringValue())
            : null;
    return ShapeVersion.of(
        readNumber(node),
        node.has("stream_order") ? node.get("stream_order").longValue() : null,
        since,
        Timestamp.parse(node.required("captured_at").stringValue()),
        readShape(node));
  }

  /**
   * Whether it is a numeric without a precision, which DMS shortens. A signal that numbers its columns also declares the
   * precision of a numeric that has one; earlier versions did neither, so theirs pass.
   */
  private static boolean isShortened(String type, JsonNode column) {
    return type.equals("numeric") && column.has("number") && !column.has("declared");
  }

  private static ShapeColumn readColumn(JsonNode node) {
    String type = node.required("type").stringValue();
    return new ShapeColumn(
        node.required("name").stringValue(),
        type,
        node.path("generated").stringValue("").equals("virtual"),
        node.path("shortened").booleanValue(false) || isShortened(type, node),
        node.path("ignored").booleanValue(false),
        node.path("redacted").booleanValue(false));
  }
}
