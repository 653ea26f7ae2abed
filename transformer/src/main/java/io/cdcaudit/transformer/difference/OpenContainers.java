package io.cdcaudit.transformer.difference;

import java.util.Arrays;

/** The objects and arrays that are open at a place of a document, from the outermost on. */
final class OpenContainers {

  private int[] children = new int[16];
  private int[] indices = new int[16];
  private boolean[] objects = new boolean[16];
  private int depth;
  private int place;

  /**
   * Reads a document from its beginning to a place.
   *
   * @param limit the place; a string that ends behind it is not read
   */
  OpenContainers(byte[] bytes, int start, int limit, int end) {
    int index = start;
    while (index < limit) {
      byte character = bytes[index];
      if (character == '"') {
        int next = JsonText.endOfString(bytes, index, end);
        if (next > limit) {
          break;
        }
        index = next;
        continue;
      }
      index++;
      if (JsonText.isOpening(character)) {
        open(character == '{', index);
      } else if (JsonText.isClosing(character)) {
        depth--;
      } else if (character == ',') {
        children[depth] = index;
        indices[depth]++;
      }
    }
    place = index;
  }

  private void open(boolean isObject, int child) {
    depth++;
    if (depth == children.length) {
      children = Arrays.copyOf(children, 2 * depth);
      indices = Arrays.copyOf(indices, 2 * depth);
      objects = Arrays.copyOf(objects, 2 * depth);
    }
    objects[depth] = isObject;
    children[depth] = child;
    indices[depth] = 0;
  }

  /** Where the child of a container stands that was begun last; 1 is the outermost container. */
  int child(int level) {
    return children[level];
  }

  /** The number of that child, from 0. */
  int index(int level) {
    return indices[level];
  }

  boolean isObject(int level) {
    return objects[level];
  }

  /** Where reading ended: at the limit, or at the string that goes on behind it. */
  int place() {
    return place;
  }

  /**
   * The deepest of these containers that stay open until a later place.
   *
   * @param bytes of this document, or of one that is alike as far as this was read
   * @param from {@link #place()} there
   */
  int deepestOpenUntil(byte[] bytes, int from, int until, int end) {
    int current = depth;
    int lowest = depth;
    int index = from;
    while (index < until) {
      byte character = bytes[index];
      if (character == '"') {
        index = JsonText.endOfString(bytes, index, end);
        continue;
      }
      if (JsonText.isOpening(character)) {
        current++;
      } else if (JsonText.isClosing(character)) {
        current--;
        lowest = Math.min(lowest, current);
      }
      index++;
    }
    return lowest;
  }
}
