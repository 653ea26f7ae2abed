package io.cdcaudit.transformer.record;

/** A table of the source database. */
public record TableName(String schema, String table) {

  /** As the Kafka keys of audit events name it. */
  @Override
  public String toString() {
    return schema + "." + table;
  }

  /** A name that no other table has: parts that hold a dot or a quote are quoted. */
  public String quoted() {
    return quoted(schema) + "." + quoted(table);
  }

  private static String quoted(String name) {
    boolean isPlain = name.indexOf('.') < 0 && name.indexOf('"') < 0;
    return isPlain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }
}
