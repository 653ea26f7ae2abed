package io.cdcaudit.transformer.record;

import io.cdcaudit.transformer.json.JsonSlice;

/**
 * The columns of a row as DMS sent them, in its order.
 *
 * @param raw the whole JSON object
 * @param names the columns
 * @param values their values, parallel to the names
 */
public record RowImage(JsonSlice raw, String[] names, JsonSlice[] values) {

  public int size() {
    return names.length;
  }

  public String name(int index) {
    return names[index];
  }

  public JsonSlice value(int index) {
    return values[index];
  }
}
