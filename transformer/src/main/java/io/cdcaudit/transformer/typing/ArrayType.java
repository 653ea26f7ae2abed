package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;

/**
 * An array of any number of dimensions, from PostgreSQL's literal ({@code {1,NULL}}). A literal
 * that states its bounds ({@code [0:1]={1,2}}) stays as it is, because a JSON array would lose
 * them.
 */
record ArrayType(ScalarType element) implements ColumnType {

  @Override
  public WriteResult write(JsonSlice value, JsonOutput output) {
    int start = output.length();
    if (value.isString() && new ArrayLiteral(value.text(), element, output).write()) {
      return WriteResult.TYPED;
    }
    output.truncate(start);
    return UnknownType.INSTANCE.write(value, output);
  }

  @Override
  public boolean isCutAt(int limit, JsonSlice value) {
    return LargeObjects.isTextCutAt(limit, value);
  }
}
