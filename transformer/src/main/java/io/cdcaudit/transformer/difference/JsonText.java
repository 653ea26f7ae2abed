package io.cdcaudit.transformer.difference;

/** Finds its way in JSON text without reading values. It never leaves the range that it is given. */
final class JsonText {

  private JsonText() {}

  /** The end of the string that begins at an index, behind its closing quote. */
  static int endOfString(byte[] bytes, int start, int end) {
    int index = start + 1;
    while (index < end && bytes[index] != '"') {
      index += bytes[index] == '\\' ? 2 : 1;
    }
    return Math.min(index + 1, end);
  }

  static int skipSpace(byte[] bytes, int start, int end) {
    int index = start;
    while (index < end && isSpace(bytes[index])) {
      index++;
    }
    return index;
  }

  /** The end of a number, or of another value that is written without quotes and brackets. */
  static int endOfLiteral(byte[] bytes, int start, int end) {
    int index = start;
    while (index < end && !isSpace(bytes[index]) && !isStructural(bytes[index])) {
      index++;
    }
    return index;
  }

  /** Whether an object or array begins. */
  static boolean isOpening(byte character) {
    return character == '{' || character == '[';
  }

  /** Whether an object or array ends. */
  static boolean isClosing(byte character) {
    return character == '}' || character == ']';
  }

  /**
   * Whether a character of a JSON document is never a part of an escape, so that a text may be cut
   * on either side of it.
   */
  static boolean isOutsideEscapes(byte character) {
    return character == ' ' || character == ':' || isStructural(character);
  }

  private static boolean isStructural(byte character) {
    return character == ',' || isOpening(character) || isClosing(character);
  }

  private static boolean isSpace(byte character) {
    return character == ' ' || character == '\n' || character == '\r' || character == '\t';
  }
}
