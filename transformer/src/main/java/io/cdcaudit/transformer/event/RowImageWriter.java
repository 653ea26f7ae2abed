package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.difference.ChangedDocument;
import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.shape.Column;
import io.cdcaudit.transformer.shape.Columns;
import io.cdcaudit.transformer.typing.ScalarType;
import io.cdcaudit.transformer.typing.UnknownType;
import io.cdcaudit.transformer.typing.WriteResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Writes the images of a changed row. Values are typed by the table's shape, and of the old row
 * only what differs is kept: of a changed document, what differs within it. It names every value that
 * the stream did not carry. For one thread: it reuses its buffers.
 */
public final class RowImageWriter {

  private static final byte[] REDACTED = "\"[redacted]\"".getBytes(StandardCharsets.US_ASCII);

  private final int lobLimit;
  private final JsonOutput before = new JsonOutput();
  private final JsonOutput patches = new JsonOutput();
  private final JsonOutput after = new JsonOutput();
  private final JsonOutput key = new JsonOutput();
  private final ChangedDocument document = new ChangedDocument();
  private final BitSet changed = new BitSet();
  private final BitSet patched = new BitSet();
  private final BitSet unknown = new BitSet();
  private final BitSet untyped = new BitSet();

  /**
   * @param lobLimit bytes at which DMS cuts a LOB
   */
  public RowImageWriter(int lobLimit) {
    this.lobLimit = lobLimit;
  }

  /** The images of a change; null if it changed only ignored columns. */
  public RowImages images(ChangeRecord record, Columns known) {
    unknown.clear();
    untyped.clear();
    Columns columns = known.including(record.data());
    return switch (record.operation()) {
      case LOAD, INSERT -> inserted(columns, row(record, columns));
      case UPDATE -> updated(record, columns);
      case DELETE -> deleted(columns, row(record, columns));
    };
  }

  /** The record's row, in which a key that DMS rounded has its digits again. */
  private JsonSlice[] row(ChangeRecord record, Columns columns) {
    JsonSlice[] row = columns.align(record.data());
    RoundedKeys.restore(record, columns, row);
    return row;
  }

  private RowImages inserted(Columns columns, JsonSlice[] row) {
    return new RowImages(
        key(columns, row),
        null,
        null,
        wholeRow(columns, row, after),
        names(unknown, columns),
        names(untyped, columns));
  }

  private RowImages deleted(Columns columns, JsonSlice[] row) {
    if (!columns.haveFullIdentity()) {
      // Only the key is known: all else that DMS sends is filler.
      for (int index = 0; index < columns.size(); index++) {
        row[index] = columns.get(index).key() ? row[index] : null;
      }
    }
    return new RowImages(
        key(columns, row),
        wholeRow(columns, row, before),
        null,
        null,
        names(unknown, columns),
        names(untyped, columns));
  }

  private RowImages updated(ChangeRecord record, Columns known) {
    Columns columns = record.beforeImage() == null ? known : known.including(record.beforeImage());
    JsonSlice[] row = columns.align(record.data());
    int restored = RoundedKeys.restore(record, columns, row);
    JsonSlice[] oldRow =
        record.beforeImage() == null
            ? new JsonSlice[columns.size()]
            : columns.align(record.beforeImage());
    boolean differsNotably = false;
    changed.clear();
    for (int index = 0; index < columns.size(); index++) {
      Column column = columns.get(index);
      JsonSlice newValue = row[index];
      JsonSlice oldValue = oldRow[index];
      if (newValue == null) {
        // Unchanged TOAST: DMS leaves it out. Of a key any identity has the old value.
        row[index] = columns.haveFullIdentity() || column.key() ? oldValue : null;
      } else if (index == restored && oldValue != null && isIncomplete(column, oldValue)) {
        // The old value is rounded still. Whether it was another one, nobody can tell.
        unknown.set(index);
        differsNotably |= !oldValue.isWrittenLike(columns.align(record.data())[index]);
      } else if (oldValue == null) {
        boolean isUnchangedKey = column.key() && !columns.haveFullIdentity();
        if (!isUnchangedKey) {
          unknown.set(index);
          differsNotably |= !column.ignored();
        }
      } else if (!oldValue.isWrittenLike(newValue)) {
        changed.set(index);
        differsNotably |= !column.ignored();
      } else if (column.redacted() && isIncomplete(column, newValue)) {
        // It may have changed all the same, and no value will show that.
        unknown.set(index);
        differsNotably |= !column.ignored();
      }
    }
    if (!changed.isEmpty() && !differsNotably && isSurelyAlike(columns, row, oldRow)) {
      return null;
    }
    byte[] newRow = newRow(columns, row, oldRow);
    return new RowImages(
        key(columns, row),
        oldValues(columns, oldRow),
        patched.isEmpty() ? null : close(patches),
        newRow,
        names(unknown, columns),
        names(untyped, columns));
  }

  /**
   * Whether all columns but the ignored ones are known to be equal. Values that DMS cut or rounded
   * are not known to be.
   */
  private boolean isSurelyAlike(Columns columns, JsonSlice[] row, JsonSlice[] oldRow) {
    for (int index = 0; index < row.length; index++) {
      // A value that DMS left out of the new or the old row did not change.
      boolean wasCompared =
          row[index] != null && oldRow[index] != null && row[index] != oldRow[index];
      Column column = columns.get(index);
      if (wasCompared && !column.ignored() && isIncomplete(column, row[index])) {
        return false;
      }
    }
    return true;
  }

  private boolean isIncomplete(Column column, JsonSlice value) {
    return !value.isNull() && column.type().isIncomplete(lobLimit, value);
  }

  private byte[] wholeRow(Columns columns, JsonSlice[] row, JsonOutput output) {
    open(output);
    for (int index = 0; index < row.length; index++) {
      if (row[index] == null) {
        unknown.set(index, !columns.get(index).isVirtual());
      } else {
        writeMember(index, columns.get(index), row[index], output);
      }
    }
    return close(output);
  }

  /** The whole new row. Of changed documents it also writes the patches that make the old ones. */
  private byte[] newRow(Columns columns, JsonSlice[] row, JsonSlice[] oldRow) {
    patched.clear();
    open(patches);
    open(after);
    for (int index = 0; index < row.length; index++) {
      Column column = columns.get(index);
      if (row[index] == null) {
        unknown.set(index, !column.isVirtual());
      } else if (!isChangedDocument(index, column, row, oldRow)
          || !writeDocument(index, column, row[index], oldRow[index])) {
        writeMember(index, column, row[index], after);
      }
    }
    return close(after);
  }

  /** What has changed and is not told by a patch. */
  private byte[] oldValues(Columns columns, JsonSlice[] oldRow) {
    changed.andNot(patched);
    open(before);
    for (int index = changed.nextSetBit(0); index >= 0; index = changed.nextSetBit(index + 1)) {
      writeMember(index, columns.get(index), oldRow[index], before);
    }
    return close(before);
  }

  /** Whether a document has changed of which a patch may tell. Keys are looked for by their values. */
  private boolean isChangedDocument(
      int index, Column column, JsonSlice[] row, JsonSlice[] oldRow) {
    return changed.get(index)
        && !column.key()
        && !column.redacted()
        && column.type() instanceof ScalarType type
        && type.isDocument()
        && row[index].isString()
        && oldRow[index].isString()
        && !type.isCutAt(lobLimit, row[index])
        && !type.isCutAt(lobLimit, oldRow[index]);
  }

  /** Writes a changed document; not if it can't be kept as JSON. */
  private boolean writeDocument(int index, Column column, JsonSlice value, JsonSlice oldValue) {
    int start = after.length();
    writeMemberName(column, after);
    if (!document.writeNew(value, oldValue, column.type() == ScalarType.JSONB, after)) {
      after.truncate(start);
      return false;
    }
    int patchStart = patches.length();
    writeMemberName(column, patches);
    if (document.writePatch(after, patches)) {
      patched.set(index);
    } else {
      patches.truncate(patchStart);
    }
    return true;
  }

  /** The key's values; null if the table has no key, or one of its values is unknown. */
  private byte[] key(Columns columns, JsonSlice[] row) {
    List<Integer> indices = columns.key();
    if (indices.isEmpty()) {
      return null;
    }
    open(key);
    for (int index : indices) {
      if (row[index] == null || !writeCanonicalMember(index, columns.get(index), row[index])) {
        return null;
      }
    }
    return close(key);
  }

  private boolean writeCanonicalMember(int index, Column column, JsonSlice value) {
    int start = key.length();
    if (!writeMember(index, column, value, key)) {
      return false;
    }
    int separator = start > 1 ? 1 : 0;
    key.canonicalizeString(start + separator + column.member().length);
    return true;
  }

  /** Whether the value was complete. If not, nothing is written and the column is unknown. */
  private boolean writeMember(int index, Column column, JsonSlice value, JsonOutput output) {
    int start = output.length();
    writeMemberName(column, output);
    WriteResult result = writeValue(column, value, output);
    if (result == WriteResult.UNTYPED) {
      untyped.set(index);
    } else if (result == WriteResult.INCOMPLETE) {
      output.truncate(start);
      unknown.set(index);
    }
    return result != WriteResult.INCOMPLETE;
  }

  private static void writeMemberName(Column column, JsonOutput output) {
    if (output.length() > 1) {
      output.write(',');
    }
    output.write(column.member());
  }

  private WriteResult writeValue(Column column, JsonSlice value, JsonOutput output) {
    if (value.isNull()) {
      output.writeNull();
      return column.type() == UnknownType.INSTANCE ? WriteResult.UNTYPED : WriteResult.TYPED;
    }
    if (column.redacted()) {
      output.write(REDACTED);
      return WriteResult.TYPED;
    }
    return column.type().isCutAt(lobLimit, value)
        ? WriteResult.INCOMPLETE
        : column.type().write(value, output);
  }

  private static void open(JsonOutput output) {
    output.clear();
    output.write('{');
  }

  private static byte[] close(JsonOutput output) {
    return output.write('}').toBytes();
  }

  private static List<String> names(BitSet indices, Columns columns) {
    if (indices.isEmpty()) {
      return List.of();
    }
    List<String> names = new ArrayList<>(indices.cardinality());
    for (int index = indices.nextSetBit(0); index >= 0; index = indices.nextSetBit(index + 1)) {
      names.add(columns.get(index).name());
    }
    return names;
  }
}
