package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.Text;

/** Recognises values that DMS cut at its {@code LobMaxSize}: they are exactly as long as it. */
final class LargeObjects {

  private LargeObjects() {}

  /**
   * DMS's guide says that it counts a text in UTF-16. In case it means UTF-8, a text of that many
   * bytes is taken for cut too.
   */
  static boolean isTextCutAt(int limit, JsonSlice value) {
    if (value.length() < limit / 2 || !value.isString()) {
      return false;
    }
    Text text = value.text();
    return text.length() == limit || 2 * text.utf16Length() == limit;
  }

  static boolean areBytesCutAt(int limit, JsonSlice value) {
    return value.length() >= limit
        && value.isString()
        && Hexadecimal.countBytes(value.text()) == limit;
  }
}
