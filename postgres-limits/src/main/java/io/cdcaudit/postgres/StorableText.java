package io.cdcaudit.postgres;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The rule for every text that PostgreSQL stores, in text and in jsonb alike. It holds no {@code
 * U+0000}, because PostgreSQL's strings end there. And it holds no half of a surrogate pair,
 * because UTF-8 has none.
 */
public final class StorableText {

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long BACKSLASHES = '\\' * ONES;

  private StorableText() {}

  /** Whether PostgreSQL can store a text as it is. */
  public static boolean isStorable(CharSequence text) {
    for (int index = 0; index < text.length(); index++) {
      char unit = text.charAt(index);
      if (unit == 0 || Character.isLowSurrogate(unit)) {
        return false;
      }
      if (Character.isHighSurrogate(unit)) {
        index++;
        if (index == text.length() || !Character.isLowSurrogate(text.charAt(index))) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * Whether jsonb can store what the escapes of a JSON value stand for. It looks at nothing else:
   * JSON allows a backslash only in strings, and {@code U+0000} only as an escape.
   *
   * @param json holds well-formed JSON in UTF-8 from {@code start} to {@code end}
   */
  public static boolean hasStorableEscapes(byte[] json, int start, int end) {
    for (int index = start; index < end; index++) {
      // Nearly all documents hold no escape at all.
      while (index + Long.BYTES <= end && !hasBackslash((long) EIGHT.get(json, index))) {
        index += Long.BYTES;
      }
      if (index == end || json[index] != '\\') {
        continue;
      }
      index++; // The escaped character. After `u` come four digits.
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

  /** Whether one of eight bytes is a backslash. */
  private static boolean hasBackslash(long bytes) {
    long zeroIfBackslash = bytes ^ BACKSLASHES;
    return ((zeroIfBackslash - ONES) & ~zeroIfBackslash & (ONES << 7)) != 0;
  }

  private static char codeUnit(byte[] json, int start) {
    int unit = 0;
    for (int index = start; index < start + 4; index++) {
      unit = unit << 4 | Character.digit(json[index], 16);
    }
    return (char) unit;
  }
}
