package io.cdcaudit.connect;

import io.cdcaudit.postgres.StorableText;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JsonParser;

/**
 * JSON that is passed on as it was written. Every digit and every escape stays, and no tree is
 * built. It is checked only for what PostgreSQL's jsonb cannot hold.
 */
final class StorableJson {
  private static final char REPLACEMENT = '\uFFFD';

  private StorableJson() {}

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
    if (!StorableText.hasStorableEscapes(json, (int) start, (int) end)) {
      return null;
    }
    String text = new String(json, (int) start, length, StandardCharsets.UTF_8);
    // Decoding replaces bad bytes silently. If a replacement character was really sent, the bytes
    // are UTF-8.
    return text.indexOf(REPLACEMENT) < 0 || isUtf8(json, (int) start, length) ? text : null;
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
