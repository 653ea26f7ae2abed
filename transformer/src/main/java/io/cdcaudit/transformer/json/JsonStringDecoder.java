package io.cdcaudit.transformer.json;

/** Decodes what stands between the quotes of a well-formed JSON string into UTF-8. */
final class JsonStringDecoder {

  private JsonStringDecoder() {}

  /**
   * Decodes a range that begins and ends outside an escape. An escape is never shorter than the UTF-8
   * it stands for, so the target needs no more room than the range has.
   *
   * @return where the decoded bytes end in the target
   */
  static int decode(byte[] source, int start, int end, byte[] target, int at) {
    int index = start;
    int length = at;
    while (index < end) {
      byte next = source[index++];
      if (next != '\\') {
        target[length++] = next;
        continue;
      }
      byte escaped = source[index++];
      if (escaped == '"') {
        // Of a document within a string this is nearly every escape.
        target[length++] = '"';
      } else if (escaped != 'u') {
        target[length++] = simple(escaped);
      } else {
        int codePoint = hexadecimal(source, index);
        index += 4;
        if (Character.isHighSurrogate((char) codePoint) && isLowSurrogateAt(source, index, end)) {
          codePoint =
              Character.toCodePoint((char) codePoint, (char) hexadecimal(source, index + 2));
          index += 6;
        }
        length = encode(codePoint, target, length);
      }
    }
    return length;
  }

  private static boolean isLowSurrogateAt(byte[] source, int index, int end) {
    return index + 6 <= end
        && source[index] == '\\'
        && source[index + 1] == 'u'
        && Character.isLowSurrogate((char) hexadecimal(source, index + 2));
  }

  private static int hexadecimal(byte[] source, int index) {
    int value = 0;
    for (int digit = index; digit < index + 4; digit++) {
      value = value << 4 | Character.digit(source[digit], 16);
    }
    return value;
  }

  private static byte simple(byte escaped) {
    return switch (escaped) {
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      default -> escaped;
    };
  }

  private static int encode(int codePoint, byte[] target, int at) {
    int length = at;
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
