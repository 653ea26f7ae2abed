package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.Text;

/**
 * Bytes: {@code 0x80057D} as DMS sends them, {@code \x80057d} as PostgreSQL reads and writes them.
 */
final class Hexadecimal {

  private Hexadecimal() {}

  static WriteResult write(Text text, JsonOutput output) {
    int first = firstDigit(text);
    if ((text.length() - first) % 2 != 0) {
      return WriteResult.UNTYPED;
    }
    int start = output.length();
    output.writeAscii("\"\\\\x");
    for (int index = first; index < text.length(); index += 2) {
      int high = Character.digit(text.at(index), 16);
      int low = Character.digit(text.at(index + 1), 16);
      if (high < 0 || low < 0) {
        output.truncate(start);
        return WriteResult.UNTYPED;
      }
      output.writeHexadecimal(high << 4 | low);
    }
    output.write('"');
    return WriteResult.TYPED;
  }

  static int countBytes(Text text) {
    return (text.length() - firstDigit(text)) / 2;
  }

  private static int firstDigit(Text text) {
    boolean prefixed =
        text.length() >= 2 && text.at(1) == 'x' && (text.at(0) == '0' || text.at(0) == '\\');
    return prefixed ? 2 : 0;
  }
}
