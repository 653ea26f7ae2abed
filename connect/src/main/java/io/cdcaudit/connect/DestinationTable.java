package io.cdcaudit.connect;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.connect.errors.ConnectException;

/**
 * The table that audit events are stored in. The sink never creates or alters it, because the
 * database owns its schema.
 */
record DestinationTable(String schema, String table) {
  /**
   * A plain {@code schema.table}: lower-case letters, digits and underscores, without quotes or
   * placeholders.
   */
  static final Pattern NAME = Pattern.compile("([a-z_][a-z0-9_]*)\\.([a-z_][a-z0-9_]*)");

  /**
   * What the sink's user must be granted. PostgreSQL reads the key to find out whether an event is
   * in the table already.
   */
  static final String PRIVILEGES =
      "USAGE on the schema, INSERT on the table and SELECT on its primary key";

  private static final String COLUMNS =
      """
      SELECT a.attname,
             has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'INSERT') AS insertable,
             has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') AS selectable
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ? AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped
      """;

  private record Access(boolean insertable, boolean selectable) {}

  static DestinationTable named(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("\"%s\" is not of the form schema.table".formatted(name));
    }
    return new DestinationTable(matcher.group(1), matcher.group(2));
  }

  /**
   * Checks that the table exists, has every column of an audit event, and lets this user append to
   * it.
   *
   * @throws ConnectException saying what is missing and how to mend it
   */
  void check(Connection connection) throws SQLException {
    Map<String, Access> columns = columns(connection);
    if (columns.isEmpty()) {
      throw unusable(connection, "does not exist", "Apply the SQL of the destination database");
    }
    List<String> missing = new ArrayList<>();
    List<String> forbidden = new ArrayList<>();
    for (AuditEventDefinition.Column column : AuditEventConverter.DEFINITION.columns()) {
      Access access = columns.get(column.name());
      boolean key = AuditEventConverter.DEFINITION.primaryKey().contains(column.name());
      if (access == null) {
        missing.add(column.name());
      } else if (!access.insertable || key && !access.selectable) {
        forbidden.add(column.name());
      }
    }
    if (!missing.isEmpty()) {
      throw unusable(
          connection, "lacks the columns " + missing, "Apply the SQL of the destination database");
    }
    if (!forbidden.isEmpty()) {
      throw unusable(
          connection,
          "does not let the user append to it (columns " + forbidden + ")",
          "Grant the user " + PRIVILEGES);
    }
  }

  private Map<String, Access> columns(Connection connection) throws SQLException {
    Map<String, Access> columns = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          columns.put(rows.getString(1), new Access(rows.getBoolean(2), rows.getBoolean(3)));
        }
      }
    }
    return columns;
  }

  private ConnectException unusable(Connection connection, String problem, String remedy)
      throws SQLException {
    return new ConnectException(
        "the table %s.%s %s (database %s, user %s). %s, then restart the connector"
            .formatted(
                schema,
                table,
                problem,
                connection.getCatalog(),
                connection.getMetaData().getUserName(),
                remedy));
  }
}
