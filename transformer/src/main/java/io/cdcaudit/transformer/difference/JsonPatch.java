package io.cdcaudit.transformer.difference;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.Text;

/** Writes the operations of a JSON Patch (RFC 6902), and keeps the path that the next one is about. */
final class JsonPatch {

  /** Readers apply one after the other, and each copies the document. */
  static final int MOST_OPERATIONS = 32;

  private final JsonOutput output;
  private final int start;
  private final int longest;
  private final JsonOutput path;
  private int operations;

  /** A point of the patch to go back to. */
  record Mark(int length, int operations) {}

  /**
   * @param longest bytes that the patch may have
   * @param path a buffer
   */
  JsonPatch(JsonOutput output, int longest, JsonOutput path) {
    this.output = output;
    this.path = path;
    path.clear();
    this.start = output.length();
    this.longest = longest;
    output.write('[');
  }

  /** Whether the patch has more operations or bytes than a patch may have. */
  boolean isTooLong() {
    return operations > MOST_OPERATIONS || output.length() - start >= longest;
  }

  boolean isEmpty() {
    return operations == 0;
  }

  void close() {
    output.write(']');
  }

  Mark mark() {
    return new Mark(output.length(), operations);
  }

  /** Bytes that were written after a mark. */
  int lengthSince(Mark mark) {
    return output.length() - mark.length();
  }

  void returnTo(Mark mark) {
    output.truncate(mark.length());
    operations = mark.operations();
  }

  int pathLength() {
    return path.length();
  }

  void truncatePath(int earlierLength) {
    path.truncate(earlierLength);
  }

  /**
   * Goes down to a member.
   *
   * @param start of its name, a JSON string with its quotes
   */
  void toMember(byte[] bytes, int start, int end) {
    path.write('/');
    Text name = new JsonSlice(bytes, start, end).text();
    for (int index = 0; index < name.length(); index++) {
      char character = (char) name.at(index);
      if (character == '~') {
        path.writeAscii("~0");
      } else if (character == '/') {
        path.writeAscii("~1");
      } else {
        path.write(character);
      }
    }
  }

  /** Goes down to an element. */
  void toElement(int index) {
    path.write('/').writeNumber(index);
  }

  void replace(byte[] bytes, int start, int end) {
    operation("replace");
    value(bytes, start, end);
  }

  void add(byte[] bytes, int start, int end) {
    operation("add");
    value(bytes, start, end);
  }

  void remove() {
    operation("remove");
    output.write('}');
  }

  private void operation(String name) {
    if (output.length() > start + 1) {
      output.write(',');
    }
    Text pointer = path.textFrom(0);
    output.writeAscii("{\"op\":\"").writeAscii(name).writeAscii("\",\"path\":");
    output.writeString(pointer.bytes(), pointer.start(), pointer.end());
    operations++;
  }

  private void value(byte[] bytes, int start, int end) {
    output.writeAscii(",\"value\":").write(bytes, start, end).write('}');
  }
}
