package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.record.RowImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A table's columns, prepared for reading rows: those of its shape in table order, then any others
 * of a row.
 */
public final class Columns {

  private final Column[] columns;
  private final List<Integer> key;
  private final boolean hasFullIdentity;
  private final Map<String, Integer> indices = new HashMap<>();

  private Columns(
      List<Column> columns, List<Integer> key, boolean hasFullIdentity) {
    this.columns = columns.toArray(Column[]::new);
    this.key = key;
    this.hasFullIdentity = hasFullIdentity;
    for (int index = 0; index < columns.size(); index++) {
      indices.put(columns.get(index).name(), index);
    }
  }

  static Columns of(TableShape shape) {
    List<Column> columns =
        shape.columns().stream()
            .map(column -> Column.of(column, shape.key().contains(column.name())))
            .toList();
    List<String> names = columns.stream().map(Column::name).toList();
    List<Integer> key = shape.key().stream().map(names::indexOf).toList();
    return new Columns(columns, key, shape.replicaIdentity() == ReplicaIdentity.FULL);
  }

  public int size() {
    return columns.length;
  }

  public Column get(int index) {
    return columns[index];
  }

  /** Where the key's columns are, in the key's order; empty without a key. */
  public List<Integer> key() {
    return key;
  }

  /** Whether PostgreSQL logs the whole old row. */
  public boolean haveFullIdentity() {
    return hasFullIdentity;
  }

  /** These, and any more that a row has. */
  public Columns including(RowImage row) {
    List<Column> more = null;
    for (int position = 0; position < row.size(); position++) {
      if (indexOf(row.name(position), position) < 0) {
        more = more == null ? new ArrayList<>(List.of(columns)) : more;
        more.add(Column.unknown(row.name(position)));
      }
    }
    return more == null ? this : new Columns(more, key, hasFullIdentity);
  }

  /**
   * A row's values in the order of these columns, which include the row's; null where it has none,
   * and for virtual columns.
   */
  public JsonSlice[] align(RowImage row) {
    JsonSlice[] values = new JsonSlice[columns.length];
    for (int position = 0; position < row.size(); position++) {
      int index = indexOf(row.name(position), position);
      values[index] = columns[index].isVirtual() ? null : row.value(position);
    }
    return values;
  }

  /** DMS keeps table order, so the position in the row is nearly always the index. */
  private int indexOf(String name, int position) {
    if (position < columns.length && columns[position].name().equals(name)) {
      return position;
    }
    return indices.getOrDefault(name, -1);
  }
}
