package io.cdcaudit.connect;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an audit event holds, as the contract defines it for every part of the pipeline.
 *
 * @param columns the members of an event, which are the table's columns
 * @param primaryKey the columns that identify an event
 * @param operations the allowed values of the column {@code operation}
 */
record AuditEventDefinition(List<Column> columns, List<String> primaryKey, Set<String> operations) {

  /** One member of an audit event; one that is not required may be absent or null. */
  record Column(String name, ColumnType type, boolean required) {}

  private static final String RESOURCE = "/audit-events-table.json";

  /** Reads the contract's {@code audit-events-table.json} from the class path. */
  static AuditEventDefinition load() {
    try (InputStream json = AuditEventDefinition.class.getResourceAsStream(RESOURCE)) {
      JsonNode definition = JsonMapper.shared().readTree(json);
      List<Column> columns = new ArrayList<>();
      for (JsonNode column : definition.required("columns")) {
        columns.add(
            new Column(
                column.required("name").asString(),
                ColumnType.named(column.required("type").asString()),
                column.path("required").asBoolean(false)));
      }
      List<String> primaryKey = strings(definition.required("primaryKey"));
      Set<String> operations = new TreeSet<>(strings(definition.required("operations")));
      return new AuditEventDefinition(List.copyOf(columns), primaryKey, operations);
    } catch (IOException error) {
      throw new UncheckedIOException(RESOURCE + " cannot be read from the plugin's own jar", error);
    }
  }

  private static List<String> strings(JsonNode array) {
    return array.values().stream().map(JsonNode::asString).toList();
  }
}
