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
    // An escape is never shorter than the UTF-8 it stands for.
    byte[] decoded = new byte[length() - 2];
    int length = firstEscape - start - 1;
    System.arraycopy(bytes, start + 1, decoded, 0, length);
    int index = firstEscape;
    while (index < end - 1) {
      byte next = bytes[index++];
      if (next != '\\') {
        decoded[length++] = next;
        continue;
      }
      byte escaped = bytes[index++];
      if (escaped != 'u') {
        decoded[length++] = simpleEscape(escaped);
        continue;
      }
      int codePoint = hexadecimal(index);
      index += 4;
      if (Character.isHighSurrogate((char) codePoint) && isLowSurrogateAt(index)) {
        codePoint = Character.toCodePoint((char) codePoint, (char) hexadecimal(index + 2));
        index += 6;
      }
      length = encode(codePoint, decoded, length);
    }
    return new Text(decoded, 0, length);
  }

  private boolean isLowSurrogateAt(int index) {
    return index + 6 <= end - 1
        && bytes[index] == '\\'
        && bytes[index + 1] == 'u'
        && Character.isLowSurrogate((char) hexadecimal(index + 2));
  }

  private int hexadecimal(int index) {
    int value = 0;
    for (int digit = index; digit < index + 4; digit++) {
      value = value << 4 | Character.digit(bytes[digit], 16);
    }
    return value;
  }

  private static byte simpleEscape(byte escaped) {
    return switch (escaped) {
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      default -> escaped;
    };
  }

  private static int encode(int codePoint, byte[] target, int length) {
    // A lone surrogate has no UTF-8 form: the replacement character stands for it.
    int point = codePoint >= 0xD800 && codePoint <= 0xDFFF ? 0xFFFD : codePoint;
    if (point < 0x80) {
      target[length++] = (byte) point;
    } else if (point < 0x800) {
      target[length++] = (byte) (0xC0 | point >> 6);
      target[length++] = (byte) (0x80 | point & 0x3F);
    } else if (point < 0x10000) {
      target[length++] = (byte) (0xE0 | point >> 12);
      target[length++] = (byte) (0x80 | point >> 6 & 0x3F);
      target[length++] = (byte) (0x80 | point & 0x3F);
    } else {
      target[length++] = (byte) (0xF0 | point >> 18);
      target[length++] = (byte) (0x80 | point >> 12 & 0x3F);
      target[length++] = (byte) (0x80 | point >> 6 & 0x3F);
      target[length++] = (byte) (0x80 | point & 0x3F);
    }
    return length;
  }
}
