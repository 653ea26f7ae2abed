package io.cdcaudit.transformer.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** One JSON value where it is in its record: well-formed, not decoded, not copied. */
public record JsonSlice(byte[] bytes, int start, int end) {

  public int length() {
    return end - start;
  }

  public boolean isNull() {
    return bytes[start] == 'n';
  }

  public boolean isString() {
    return bytes[start] == '"';
  }

  /** Whether it is an object or an array. */
  public boolean isStructure() {
    return bytes[start] == '{' || bytes[start] == '[';
  }

  /** Whether both are written alike, byte for byte. DMS writes equal values alike. */
  public boolean isWrittenLike(JsonSlice other) {
    return Arrays.equals(bytes, start, end, other.bytes, other.start, other.end);
  }

  /** The characters of a string, or the literal of any other value. */
  public Text text() {
    if (!isString()) {
      return new Text(bytes, start, end);
    }
    for (int index = start + 1; index < end - 1; index++) {
      if (bytes[index] == '\\') {
        return unescape(index);
      }
    }
    return new Text(bytes, start + 1, end - 1);
  }

  public byte[] toBytes() {
    return Arrays.copyOfRange(bytes, start, end);
  }

  @Override
  public String toString() {
    return new String(bytes, start, length(), StandardCharsets.UTF_8);
  }

  private Text unescape(int firstEscape) {
    byte[] decoded = new byte[length() - 2];
    int length = firstEscape - start - 1;
    System.arraycopy(bytes, start + 1, decoded, 0, length);
    return new Text(
        decoded, 0, JsonStringDecoder.decode(bytes, firstEscape, end - 1, decoded, length));
  }
}
