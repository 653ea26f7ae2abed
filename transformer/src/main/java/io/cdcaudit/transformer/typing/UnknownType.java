package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;

/** The type of a column that is not in the table's shape: its values are written as they are. */
public enum UnknownType implements ColumnType {
  INSTANCE;

  @Override
  public WriteResult write(JsonSlice value, JsonOutput output) {
    output.write(value.bytes(), value.start(), value.end());
    return WriteResult.UNTYPED;
  }

  @Override
  public boolean isCutAt(int limit, JsonSlice value) {
    return false;
  }
}
