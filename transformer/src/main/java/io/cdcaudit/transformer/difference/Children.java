package io.cdcaudit.transformer.difference;

import java.util.Arrays;

/** Neighbouring members of an object, or elements of an array, where they are in their document. */
final class Children {

  private static final int KEY = 0;
  private static final int KEY_END = 1;
  private static final int VALUE = 2;
  private static final int VALUE_END = 3;
  private static final int WIDTH = 4;

  private final byte[] bytes;
  private final int end;
  private final int start;
  private int[] places = new int[8 * WIDTH];
  private int count;
  private int stop;
  private int deepest;
  private boolean wellFormed;

  /**
   * Reads children until one that ends behind a place.
   *
   * @param start of the first child, or of what closes its container
   * @param end of the document
   */
  Children(byte[] bytes, int start, int end, boolean areMembers, int until) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    read(areMembers, until);
  }

  private void read(boolean areMembers, int until) {
    int index = JsonText.skipSpace(bytes, start, end);
    if (index < end && JsonText.isClosing(bytes[index])) {
      wellFormed = true;
      stop = index;
      return;
    }
    while (index < end) {
      int key = index;
      int keyEnd = index;
      if (areMembers) {
        keyEnd = JsonText.endOfString(bytes, index, end);
        index = JsonText.skipSpace(bytes, keyEnd, end);
        if (bytes[key] != '"' || index == end || bytes[index] != ':') {
          return;
        }
        index = JsonText.skipSpace(bytes, index + 1, end);
      }
      int value = index;
      int valueEnd = endOfValue(value);
      add(key, keyEnd, value, valueEnd);
      index = JsonText.skipSpace(bytes, valueEnd, end);
      if (index == end || valueEnd == value) {
        return;
      }
      boolean isLast = JsonText.isClosing(bytes[index]);
      if (isLast || index >= until) {
        wellFormed = isLast || bytes[index] == ',';
        stop = index;
        return;
      }
      if (bytes[index] != ',') {
        return;
      }
      index = JsonText.skipSpace(bytes, index + 1, end);
    }
  }

  private int endOfValue(int value) {
    if (value == end) {
      return end;
    }
    if (bytes[value] == '"') {
      return JsonText.endOfString(bytes, value, end);
    }
    if (!JsonText.isOpening(bytes[value])) {
      return JsonText.endOfLiteral(bytes, value, end);
    }
    int depth = 0;
    int index = value;
    while (index < end) {
      byte character = bytes[index];
      if (character == '"') {
        index = JsonText.endOfString(bytes, index, end);
        continue;
      }
      index++;
      if (JsonText.isOpening(character)) {
        depth++;
        deepest = Math.max(deepest, depth);
      } else if (JsonText.isClosing(character) && --depth == 0) {
        break;
      }
    }
    return index;
  }

  private void add(int key, int keyEnd, int value, int valueEnd) {
    int at = count * WIDTH;
    if (at == places.length) {
      places = Arrays.copyOf(places, 2 * places.length);
    }
    places[at + KEY] = key;
    places[at + KEY_END] = keyEnd;
    places[at + VALUE] = value;
    places[at + VALUE_END] = valueEnd;
    count++;
  }

  /** Whether what was read is no obvious nonsense. Only a parser knows that a document is right. */
  boolean isWellFormed() {
    return wellFormed;
  }

  int count() {
    return count;
  }

  /** Where the children begin, with the space before the first one. */
  int start() {
    return start;
  }

  /** Where the comma or bracket behind the last child is. */
  int stop() {
    return stop;
  }

  /** How many containers are nested in a child at most. */
  int deepest() {
    return deepest;
  }

  byte[] bytes() {
    return bytes;
  }

  /** Where a member's name begins, with its quote. */
  int key(int child) {
    return places[child * WIDTH + KEY];
  }

  int keyEnd(int child) {
    return places[child * WIDTH + KEY_END];
  }

  int value(int child) {
    return places[child * WIDTH + VALUE];
  }

  int valueEnd(int child) {
    return places[child * WIDTH + VALUE_END];
  }

  boolean hasValueOf(int child, Children others, int other) {
    return Arrays.equals(
        bytes,
        value(child),
        valueEnd(child),
        others.bytes,
        others.value(other),
        others.valueEnd(other));
  }

  /** Whether two lists are alike in all but values: names, order and space between. */
  boolean areSpacedLike(Children others) {
    if (count != others.count) {
      return false;
    }
    int from = start;
    int otherFrom = others.start;
    for (int child = 0; child < count; child++) {
      if (!Arrays.equals(
          bytes, from, value(child), others.bytes, otherFrom, others.value(child))) {
        return false;
      }
      from = valueEnd(child);
      otherFrom = others.valueEnd(child);
    }
    return Arrays.equals(bytes, from, stop, others.bytes, otherFrom, others.stop);
  }

  /**
   * Whether each name comes after the one before in the order in which jsonb keeps names: shorter
   * ones first, those of one length byte by byte.
   */
  boolean areInOrderOfJsonb() {
    for (int child = 1; child < count; child++) {
      if (compareKeys(child - 1, this, child) >= 0) {
        return false;
      }
    }
    return true;
  }

  /** Compares two names as jsonb does. */
  int compareKeys(int child, Children others, int other) {
    return MemberNames.compare(
        bytes, key(child), keyEnd(child), others.bytes, others.key(other), others.keyEnd(other));
  }
}
