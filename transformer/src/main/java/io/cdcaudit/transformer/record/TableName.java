package io.cdcaudit.transformer.record;

/** A table of the source database. */
public record TableName(String schema, String table) {

  /** As the Kafka keys of audit events name it. */
  @Override
  public String toString() {
    return schema + "." + table;
  }

  /** As no other table is called: with quotes around a name that holds a dot or a quote. */
  public String quoted() {
    return quoted(schema) + "." + quoted(table);
  }

  private static String quoted(String name) {
    boolean isPlain = name.indexOf('.') < 0 && name.indexOf('"') < 0;
    return isPlain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }
}
