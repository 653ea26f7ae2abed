package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;

/** A PostgreSQL type, and how its values as DMS sends them become JSON again. */
public sealed interface ColumnType permits ScalarType, ArrayType, UnknownType {

  /** Writes a value that is not null; writes it as it is if it does not fit the type. */
  WriteResult write(JsonSlice value, JsonOutput output);

  /** Whether DMS, which cuts LOBs at {@code limit} bytes, cut this value. */
  boolean isCutAt(int limit, JsonSlice value);

  /** Whether DMS did not carry the whole of a value that is not null: it cut or rounded it. */
  default boolean isIncomplete(int limit, JsonSlice value) {
    return isCutAt(limit, value);
  }

  /**
   * @param name what PostgreSQL's {@code format_type} calls the type, without modifiers
   */
  static ColumnType of(String name) {
    // Of all types, box alone divides the elements of its arrays by semicolons.
    return name.endsWith("[]") && !name.equals("box[]")
        ? new ArrayType(ScalarType.of(name.substring(0, name.length() - 2)))
        : ScalarType.of(name);
  }
}
