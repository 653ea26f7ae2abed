package io.cdcaudit.transformer.difference;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.JsonSyntax;
import io.cdcaudit.transformer.json.Text;

/**
 * Writes a changed value of json or jsonb: the new document whole, and the old one as what differs.
 * DMS sends both as JSON strings. Of the old one only what the new one does not share is decoded and
 * read. For one thread: it reuses its buffers.
 */
public final class ChangedDocument {

  private final JsonOutput old = new JsonOutput();
  private final JsonOutput window = new JsonOutput();
  private final JsonOutput path = new JsonOutput();
  private boolean isJsonb;
  private int length;
  private int head;
  private int tail;

  /**
   * Writes the new document. Writes nothing, and returns false, if it can't be kept as JSON.
   *
   * @param newValue the document as a JSON string, like {@code oldValue}
   */
  public boolean writeNew(
      JsonSlice newValue, JsonSlice oldValue, boolean ofJsonb, JsonOutput output) {
    byte[] bytes = newValue.bytes();
    byte[] oldBytes = oldValue.bytes();
    int from = newValue.start() + 1;
    int to = newValue.end() - 1;
    int oldFrom = oldValue.start() + 1;
    int oldTo = oldValue.end() - 1;
    int shared = SharedBytes.head(bytes, from, to, oldBytes, oldFrom, oldTo);
    int most = Math.min(to - from, oldTo - oldFrom);
    while (shared > 0 && !JsonText.isOutsideEscapes(bytes[from + shared - 1])) {
      shared--;
    }
    int sharedTail = SharedBytes.tail(bytes, to, oldBytes, oldTo, most - shared);
    while (sharedTail > 0 && !JsonText.isOutsideEscapes(bytes[to - sharedTail])) {
      sharedTail--;
    }
    int start = output.length();
    output.writeDecoded(bytes, from, from + shared);
    head = output.length() - start;
    output.writeDecoded(bytes, from + shared, to - sharedTail);
    int rest = output.length();
    output.writeDecoded(bytes, to - sharedTail, to);
    tail = output.length() - rest;
    length = output.length() - start;
    isJsonb = ofJsonb;
    Text text = output.textFrom(start);
    if (!(ofJsonb ? JsonSyntax.isJsonb(text) : JsonSyntax.isStorableJson(text))) {
      output.truncate(start);
      return false;
    }
    old.clear();
    old.write(text.bytes(), start, start + head);
    old.writeDecoded(oldBytes, oldFrom + shared, oldTo - sharedTail);
    old.write(text.bytes(), rest, text.end());
    return true;
  }

  /**
   * Writes the patch that makes the old document of the new one. Returns false if there is none that
   * is at most half as long as the old document; what was written is of no use then.
   *
   * @param written where the new document was written last
   */
  public boolean writePatch(JsonOutput written, JsonOutput patches) {
    Text newer = written.textFrom(written.length() - length);
    return DocumentDifference.write(
        newer, old.textFrom(0), head, tail, isJsonb, patches, window, path);
  }
}
