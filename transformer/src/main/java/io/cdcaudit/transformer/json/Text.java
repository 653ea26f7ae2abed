package io.cdcaudit.transformer.json;

import java.nio.charset.StandardCharsets;

/** A range of UTF-8 bytes, not copied out of its record. */
public record Text(byte[] bytes, int start, int end) {

  public static Text of(String value) {
    byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
    return new Text(encoded, 0, encoded.length);
  }

  public int length() {
    return end - start;
  }

  public byte at(int index) {
    return bytes[start + index];
  }

  public Text from(int index) {
    return new Text(bytes, start + index, end);
  }

  public boolean isAscii(String ascii) {
    if (length() != ascii.length()) {
      return false;
    }
    for (int index = 0; index < ascii.length(); index++) {
      if (at(index) != ascii.charAt(index)) {
        return false;
      }
    }
    return true;
  }

  /**
   * How many UTF-16 code units the text has: one for each character, two for those of four bytes.
   */
  public int utf16Length() {
    int count = 0;
    for (int index = start; index < end; index++) {
      boolean continues = (bytes[index] & 0xC0) == 0x80;
      boolean isFourBytesLong = (bytes[index] & 0xF8) == 0xF0;
      count += continues ? 0 : isFourBytesLong ? 2 : 1;
    }
    return count;
  }

  @Override
  public String toString() {
    return new String(bytes, start, length(), StandardCharsets.UTF_8);
  }
}
