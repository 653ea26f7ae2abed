package io.cdcaudit.transformer.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A growing UTF-8 buffer that JSON is written into. Reused record after record by the one thread
 * that owns it.
 */
public final class JsonOutput {

  private static final byte[] HEXADECIMAL = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NULL = {'n', 'u', 'l', 'l'};

  /** A buffer that a huge row made larger than this many bytes is released. */
  private static final int LARGEST_KEPT = 1 << 20;

  private byte[] bytes = new byte[4096];
  private int length;

  public int length() {
    return length;
  }

  /** Forgets what was written after a point that {@link #length()} gave earlier. */
  public void truncate(int earlierLength) {
    length = earlierLength;
  }

  public void clear() {
    length = 0;
    if (bytes.length > LARGEST_KEPT) {
      bytes = new byte[4096];
    }
  }

  public byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  /**
   * Rewrites the JSON string that was written last, from {@code start} on, in the form of
   * {@link #writeString}.
   */
  public void canonicalizeString(int start) {
    JsonSlice written = new JsonSlice(bytes, start, length);
    if (written.isString()) {
      Text text = written.text();
      if (text.bytes() != bytes) {
        length = start;
        writeString(text.bytes(), text.start(), text.end());
      }
    }
  }

  public JsonOutput write(char ascii) {
    ensure(1);
    bytes[length++] = (byte) ascii;
    return this;
  }

  public JsonOutput write(byte[] source) {
    return write(source, 0, source.length);
  }

  public JsonOutput write(byte[] source, int start, int end) {
    ensure(end - start);
    System.arraycopy(source, start, bytes, length, end - start);
    length += end - start;
    return this;
  }

  public JsonOutput writeAscii(String ascii) {
    int count = ascii.length();
    ensure(count);
    for (int index = 0; index < count; index++) {
      bytes[length++] = (byte) ascii.charAt(index);
    }
    return this;
  }

  public JsonOutput writeNull() {
    return write(NULL);
  }

  public JsonOutput writeNumber(long number) {
    return writeAscii(Long.toString(number));
  }

  /**
   * A JSON string, with the fewest escapes that JSON allows, as {@code JSON.stringify} writes it.
   */
  public JsonOutput writeString(String value) {
    byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
    return writeString(encoded, 0, encoded.length);
  }

  /** A JSON string of UTF-8 text. */
  public JsonOutput writeString(byte[] text, int start, int end) {
    ensure(end - start + 2);
    bytes[length++] = '"';
    int copied = start;
    for (int index = start; index < end; index++) {
      byte next = text[index];
      if (next == '"' || next == '\\' || (next >= 0 && next < ' ')) {
        write(text, copied, index);
        writeEscape(next);
        copied = index + 1;
      }
    }
    write(text, copied, end);
    return write('"');
  }

  /**
   * The characters of a JSON string, without quotes and escapes.
   *
   * @param start in the string, outside an escape; as is {@code end}
   */
  public JsonOutput writeDecoded(byte[] string, int start, int end) {
    ensure(end - start);
    length = JsonStringDecoder.decode(string, start, end, bytes, length);
    return this;
  }

  /** What was written from a point on. It is a view, which the next write may make stale. */
  public Text textFrom(int start) {
    return new Text(bytes, start, length);
  }

  /** Two hexadecimal digits in lower case. */
  public JsonOutput writeHexadecimal(int value) {
    ensure(2);
    bytes[length++] = HEXADECIMAL[(value >> 4) & 15];
    bytes[length++] = HEXADECIMAL[value & 15];
    return this;
  }

  private void writeEscape(byte character) {
    write('\\');
    switch (character) {
      case '"', '\\' -> write((char) character);
      case '\b' -> write('b');
      case '\f' -> write('f');
      case '\n' -> write('n');
      case '\r' -> write('r');
      case '\t' -> write('t');
      default -> writeAscii("u00").writeHexadecimal(character);
    }
  }

  private void ensure(int more) {
    if (length + more > bytes.length) {
      bytes =
          Arrays.copyOf(
              bytes,
              Math.max(
                  Math.addExact(length, more),
                  (int) Math.min(bytes.length * 2L, Integer.MAX_VALUE - 8)));
    }
  }
}
