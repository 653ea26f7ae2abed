package io.cdcaudit.transformer.difference;

import io.cdcaudit.postgres.JsonDepth;
import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSyntax;
import io.cdcaudit.transformer.json.Text;
import java.util.Arrays;

/**
 * What makes the old one of a new document, as a JSON Patch. Only what lies between the bytes that
 * both share at their beginnings and ends is read.
 *
 * <p>A document of jsonb has its members in one order and each name once, so that members may come
 * and go. The text of a document of json must be restored as it was written. So there a patch only
 * replaces values.
 */
final class DocumentDifference {

  /** An element or member that changed is read once for each container around it. */
  private static final int MOST_READINGS = 8;

  private final byte[] newer;
  private final byte[] older;
  private final boolean isJsonb;
  private final JsonPatch patch;
  private final JsonOutput window;
  private long readable;
  private boolean isChecked;

  /**
   * @param newer a document that is known to be right
   * @param window a buffer
   */
  private DocumentDifference(
      Text newer, Text older, boolean isJsonb, JsonPatch patch, JsonOutput window) {
    this.newer = newer.bytes();
    this.older = older.bytes();
    this.isJsonb = isJsonb;
    this.patch = patch;
    this.window = window;
    this.readable = (long) MOST_READINGS * (newer.length() + older.length());
  }

  /**
   * Writes a patch, if it is at most half as long as the old document. If not, what was written is
   * of no use.
   *
   * @param newer a document that is known to be right
   * @param older one that may be none
   * @param head bytes that both begin with
   * @param tail bytes that both end with, behind the head
   * @param window a buffer, like {@code path}
   */
  static boolean write(
      Text newer,
      Text older,
      int head,
      int tail,
      boolean isJsonb,
      JsonOutput output,
      JsonOutput window,
      JsonOutput path) {
    JsonPatch patch = new JsonPatch(output, older.length() / 2, path);
    DocumentDifference difference =
        new DocumentDifference(newer, older, isJsonb, patch, window);
    boolean isFound =
        difference.compare(
            newer.start(), newer.end(), older.start(), older.end(), head, tail);
    patch.close();
    return isFound && !patch.isEmpty() && !patch.isTooLong();
  }

  /**
   * Writes what differs in two values; false if that can't be told, or would be too long.
   *
   * <p>It is exact: both documents are the same bytes, then children of one container, then the same
   * bytes again.
   */
  private boolean compare(
      int start, int end, int oldStart, int oldEnd, int head, int tail) {
    readable -= (end - start) + (oldEnd - oldStart);
    if (readable < 0) {
      return false;
    }
    OpenContainers open = new OpenContainers(newer, start, start + head, end);
    int shift = oldStart - start;
    int level =
        Math.min(
            open.deepestOpenUntil(newer, open.place(), end - tail, end),
            open.deepestOpenUntil(older, open.place() + shift, oldEnd - tail, oldEnd));
    if (level < 1) {
      return false;
    }
    boolean isObject = open.isObject(level);
    int child = open.child(level);
    Children children = new Children(newer, child, end, isObject, end - tail);
    Children oldChildren =
        new Children(older, child + shift, oldEnd, isObject, oldEnd - tail);
    if (!oldChildren.isWellFormed()
        || !children.isWellFormed()
        || children.stop() < end - tail
        || end - children.stop() != oldEnd - oldChildren.stop()
        || !isStorable(oldChildren, isObject, level)) {
      return false;
    }
    int path = patch.pathLength();
    for (int outer = 1; outer < level; outer++) {
      descend(open, outer, end);
    }
    boolean isTold =
        isObject
            ? compareMembers(children, oldChildren)
            : compareElements(children, oldChildren, open.index(level));
    patch.truncatePath(path);
    return isTold && !patch.isTooLong();
  }

  /** What stands around the children is right, for it is the same in the new document. */
  private boolean isStorable(Children children, boolean areMembers, int level) {
    if (isChecked) {
      return true;
    }
    if (level + children.deepest() > JsonDepth.DEEPEST_WRITTEN) {
      return false;
    }
    isChecked = true;
    window.clear();
    window.write(areMembers ? '{' : '[');
    window.write(older, children.start(), children.stop());
    window.write(areMembers ? '}' : ']');
    Text text = window.textFrom(0);
    return isJsonb ? JsonSyntax.isJsonb(text) : JsonSyntax.isStorableJson(text);
  }

  private void descend(OpenContainers open, int level, int end) {
    if (open.isObject(level)) {
      int key = JsonText.skipSpace(newer, open.child(level), end);
      patch.toMember(newer, key, JsonText.endOfString(newer, key, end));
    } else {
      patch.toElement(open.index(level));
    }
  }

  private boolean compareMembers(Children members, Children oldMembers) {
    boolean isComparable =
        isJsonb
            ? members.areInOrderOfJsonb() && oldMembers.areInOrderOfJsonb()
            : members.areSpacedLike(oldMembers);
    if (!isComparable) {
      return false;
    }
    int path = patch.pathLength();
    int member = 0;
    int oldMember = 0;
    while (member < members.count() || oldMember < oldMembers.count()) {
      int order =
          member == members.count()
              ? 1
              : oldMember == oldMembers.count()
                  ? -1
                  : members.compareKeys(member, oldMembers, oldMember);
      if (order < 0) {
        patch.toMember(newer, members.key(member), members.keyEnd(member));
        patch.remove();
        member++;
      } else {
        patch.toMember(older, oldMembers.key(oldMember), oldMembers.keyEnd(oldMember));
        if (order > 0) {
          patch.add(older, oldMembers.value(oldMember), oldMembers.valueEnd(oldMember));
        } else {
          compareValues(members, member++, oldMembers, oldMember);
        }
        oldMember++;
      }
      patch.truncatePath(path);
      if (patch.isTooLong()) {
        return false;
      }
    }
    return true;
  }

  private boolean compareElements(Children elements, Children oldElements, int firstIndex) {
    if (!isJsonb && !elements.areSpacedLike(oldElements)) {
      return false;
    }
    int count = elements.count();
    int oldCount = oldElements.count();
    int alike = 0;
    while (alike < Math.min(count, oldCount) && elements.hasValueOf(alike, oldElements, alike)) {
      alike++;
    }
    while (count > alike
        && oldCount > alike
        && elements.hasValueOf(count - 1, oldElements, oldCount - 1)) {
      count--;
      oldCount--;
    }
    int path = patch.pathLength();
    int element = alike;
    for (; element < Math.min(count, oldCount) && !patch.isTooLong(); element++) {
      patch.toElement(firstIndex + element);
      compareValues(elements, element, oldElements, element);
      patch.truncatePath(path);
    }
    // Each operation moves the elements behind it, so the last one goes first.
    for (int last = count - 1; last >= element && !patch.isTooLong(); last--) {
      patch.toElement(firstIndex + last);
      patch.remove();
      patch.truncatePath(path);
    }
    for (; element < oldCount && !patch.isTooLong(); element++) {
      patch.toElement(firstIndex + element);
      patch.add(older, oldElements.value(element), oldElements.valueEnd(element));
      patch.truncatePath(path);
    }
    return !patch.isTooLong();
  }

  /** Writes what differs in two values, or replaces one by the other where that is shorter. */
  private void compareValues(Children children, int child, Children oldChildren, int oldChild) {
    if (children.hasValueOf(child, oldChildren, oldChild)) {
      return;
    }
    int start = children.value(child);
    int end = children.valueEnd(child);
    int oldStart = oldChildren.value(oldChild);
    int oldEnd = oldChildren.valueEnd(oldChild);
    JsonPatch.Mark mark = patch.mark();
    if (JsonText.isOpening(newer[start]) && newer[start] == older[oldStart]) {
      int head = Arrays.mismatch(newer, start, end, older, oldStart, oldEnd);
      int most = Math.min(end - start, oldEnd - oldStart) - head;
      int tail = SharedBytes.tail(newer, end, older, oldEnd, most);
      if (compare(start, end, oldStart, oldEnd, head, tail)) {
        JsonPatch.Mark told = patch.mark();
        int length = patch.lengthSince(mark);
        patch.replace(older, oldStart, oldEnd);
        if (length <= patch.lengthSince(told)) {
          patch.returnTo(told);
          return;
        }
      }
      patch.returnTo(mark);
    }
    patch.replace(older, oldStart, oldEnd);
  }
}
