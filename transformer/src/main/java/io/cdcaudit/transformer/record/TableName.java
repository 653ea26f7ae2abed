package io.cdcaudit.transformer.record;

/** A table of the source database. */
public record TableName(String schema, String table) {

  /** As the Kafka keys of audit events and catalog entries name it. */
  @Override
  public String toString() {
    return schema + "." + table;
  }
}
