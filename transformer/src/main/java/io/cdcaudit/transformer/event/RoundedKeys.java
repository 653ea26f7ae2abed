package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.shape.Column;
import io.cdcaudit.transformer.shape.Columns;
import io.cdcaudit.transformer.typing.ScalarType;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Gives integers of a key their digits back. DMS rounds those of more than 16 digits in the row, and
 * writes them whole into what it partitions the record by.
 */
final class RoundedKeys {

  static final int NONE = -1;

  private static final Pattern INTEGER = Pattern.compile("-?[1-9][0-9]*");

  private RoundedKeys() {}

  /**
   * Replaces the value of the one key column that is rounded, if there is one.
   *
   * @return its index, or {@link #NONE}
   */
  static int restore(ChangeRecord record, Columns columns, JsonSlice[] row) {
    int rounded = NONE;
    for (int index : columns.key()) {
      if (isRounded(columns.get(index), row[index])) {
        if (rounded != NONE) {
          // Where one ends and the next begins, a dot may say; which is which, nothing would prove.
          return NONE;
        }
        rounded = index;
      }
    }
    String digits = rounded == NONE ? null : digits(record, columns, row, rounded);
    if (digits == null || !isRoundedFrom(row[rounded], digits)) {
      return NONE;
    }
    byte[] bytes = digits.getBytes(StandardCharsets.US_ASCII);
    row[rounded] = new JsonSlice(bytes, 0, bytes.length);
    return rounded;
  }

  private static boolean isRounded(Column column, JsonSlice value) {
    return value != null
        && !value.isNull()
        && column.type() == ScalarType.INTEGER
        && column.type().isIncomplete(Integer.MAX_VALUE, value);
  }

  /** What remains of the partition key without the table's name and the key's other values. */
  private static String digits(
      ChangeRecord record, Columns columns, JsonSlice[] row, int rounded) {
    StringBuilder before = new StringBuilder(record.table().toString());
    StringBuilder after = new StringBuilder();
    StringBuilder side = before.append('.');
    for (int index : columns.key()) {
      if (index == rounded) {
        side = after;
      } else if (row[index] == null || row[index].isNull() || row[index].isStructure()) {
        return null;
      } else if (side == before) {
        before.append(row[index].text()).append('.');
      } else {
        after.append('.').append(row[index].text());
      }
    }
    String value = record.keyValue();
    boolean fits =
        value != null
            && value.length() > before.length() + after.length()
            && value.startsWith(before.toString())
            && value.endsWith(after.toString());
    String digits = fits ? value.substring(before.length(), value.length() - after.length()) : "";
    return INTEGER.matcher(digits).matches() ? digits : null;
  }

  /** Whether rounding the digits may have given the value: they differ in no place that it has. */
  private static boolean isRoundedFrom(JsonSlice value, String digits) {
    BigDecimal approximate = new BigDecimal(value.text().toString());
    BigDecimal place = approximate.ulp();
    return approximate.subtract(new BigDecimal(digits)).abs().compareTo(place) <= 0;
  }
}
