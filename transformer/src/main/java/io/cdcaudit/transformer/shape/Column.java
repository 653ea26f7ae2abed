package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.typing.ColumnType;
import io.cdcaudit.transformer.typing.ScalarType;
import io.cdcaudit.transformer.typing.UnknownType;

/**
 * A column as rows are read with it.
 *
 * @param member its name as a JSON member begins, {@code "id":}
 * @param key whether it belongs to the table's key
 * @param isVirtual whether no row holds its value; DMS sends null, which means nothing
 */
public record Column(
    String name,
    byte[] member,
    ColumnType type,
    boolean key,
    boolean isVirtual,
    boolean ignored,
    boolean redacted) {

  static Column of(ShapeColumn column, boolean key) {
    return new Column(
        column.name().intern(),
        member(column.name()),
        column.isShortened()
            ? ScalarType.NUMERIC_WITHOUT_PRECISION
            : ColumnType.of(column.type()),
        key,
        column.isVirtual(),
        column.ignored(),
        column.redacted());
  }

  static Column unknown(String name) {
    return new Column(name, member(name), UnknownType.INSTANCE, false, false, false, false);
  }

  private static byte[] member(String name) {
    return new JsonOutput().writeString(name).write(':').toBytes();
  }
}
