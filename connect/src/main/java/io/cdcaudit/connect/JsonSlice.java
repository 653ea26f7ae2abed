package io.cdcaudit.connect;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JsonParser;

/**
 * JSON that is passed on as it was written, not parsed and written again: every digit and every
 * escape stays, and nothing is spent on building it. Only what PostgreSQL's jsonb cannot hold is
 * looked for.
 */
final class JsonSlice {
  private static final char REPLACEMENT = '\uFFFD';

  private JsonSlice() {}

  /** The text of the value that the parser stands on, or null when jsonb cannot hold it. */
  static String read(JsonParser parser, byte[] json) {
    long start = parser.currentTokenLocation().getByteOffset();
    parser.skipChildren();
    parser.finishToken();
    long end = parser.currentLocation().getByteOffset();
    if (start < 0) {
      return null; // The document is UTF-16 or UTF-32: the parser counts no bytes there.
    }
    int length = (int) (end - start);
    if (!escapesAreStorable(json, (int) start, (int) end)) {
      return null;
    }
    String text = new String(json, (int) start, length, StandardCharsets.UTF_8);
    // Decoding replaces bad bytes silently; a replacement character that was really sent decodes
    // strictly.
    return text.indexOf(REPLACEMENT) < 0 || isUtf8(json, (int) start, length) ? text : null;
  }

  /**
   * Looks at escapes alone: in JSON a backslash stands only in strings, and what is not escaped was
   * decoded already.
   */
  private static boolean escapesAreStorable(byte[] json, int start, int end) {
    for (int index = start; index < end; index++) {
      if (json[index] != '\\') {
        continue;
      }
      index++; // What is escaped; for `u`, four digits follow.
      if (json[index] != 'u') {
        continue;
      }
      char unit = codeUnit(json, index + 1);
      index += 4;
      if (unit == 0 || Character.isLowSurrogate(unit)) {
        return false;
      }
      if (Character.isHighSurrogate(unit)) {
        boolean pair =
            json[index + 1] == '\\'
                && json[index + 2] == 'u'
                && Character.isLowSurrogate(codeUnit(json, index + 3));
        if (!pair) {
          return false;
        }
        index += 6;
      }
    }
    return true;
  }

  /** The four hexadecimal digits from {@code start}, which the parser has checked. */
  private static char codeUnit(byte[] json, int start) {
    int unit = 0;
    for (int index = start; index < start + 4; index++) {
      unit = unit << 4 | Character.digit(json[index], 16);
    }
    return (char) unit;
  }

  private static boolean isUtf8(byte[] json, int start, int length) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json, start, length));
      return true;
    } catch (CharacterCodingException error) {
      return false;
    }
  }
}
