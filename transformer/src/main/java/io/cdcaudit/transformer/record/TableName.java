package io.cdcaudit.transformer.record;

import java.util.regex.Pattern;

/** A table of the source database. */
public record TableName(String schema, String table) {

  private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_$]*");

  /** As the Kafka keys of audit events name it. */
  @Override
  public String toString() {
    return schema + "." + table;
  }

  /** A name that no other table has: parts that hold a dot or a quote are quoted. */
  public String quoted() {
    return quoted(schema) + "." + quoted(table);
  }

  /**
   * The name as SQL reads it: a part is quoted unless it is made of lower-case letters, digits,
   * {@code _} and {@code $}. A reader of the log may put it into a query.
   */
  public String inSql() {
    return inSql(schema) + "." + inSql(table);
  }

  private static String inSql(String name) {
    return PLAIN.matcher(name).matches() ? name : '"' + name.replace("\"", "\"\"") + '"';
  }

  private static String quoted(String name) {
    boolean isPlain = name.indexOf('.') < 0 && name.indexOf('"') < 0;
    return isPlain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }
}
