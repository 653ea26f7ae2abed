package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.record.TableName;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the transformer must know about a table to read its rows.
 *
 * @param root of a partition, the topmost partitioned table; null for any other table
 * @param key the key's columns, in its order; empty for a table without one
 * @param columns all columns, in table order
 */
public record TableShape(
    TableName root, ReplicaIdentity replicaIdentity, List<String> key, List<ShapeColumn> columns) {

  /** The shape of a table that is no partition. */
  public TableShape(
      ReplicaIdentity replicaIdentity, List<String> key, List<ShapeColumn> columns) {
    this(null, replicaIdentity, key, columns);
  }

  /** Whether it is what remains of a table that was dropped or renamed: its redacted columns. */
  boolean isOfNoTable() {
    return replicaIdentity == ReplicaIdentity.DEFAULT
        && key.isEmpty()
        && columns.stream().allMatch(ShapeColumn::redacted);
  }

  /**
   * @throws IllegalArgumentException if the parts contradict each other
   */
  public TableShape {
    key = List.copyOf(key);
    columns = List.copyOf(columns);
    Set<String> names = new HashSet<>();
    for (ShapeColumn column : columns) {
      if (column.name() == null || column.type() == null) {
        throw new IllegalArgumentException("each column needs a name and a type");
      }
      if (!names.add(column.name())) {
        throw new IllegalArgumentException("column \"" + column.name() + "\" stands there twice");
      }
      if (key.contains(column.name()) && (column.ignored() || column.redacted())) {
        throw new IllegalArgumentException(
            "key column \"" + column.name() + "\" can't be ignored or redacted");
      }
    }
    if (!names.containsAll(key)) {
      throw new IllegalArgumentException("the key " + key + " names a column that the table lacks");
    }
  }
}
