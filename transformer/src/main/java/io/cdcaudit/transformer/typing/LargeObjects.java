package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.Text;

/** Tells values that DMS cut at its {@code LobMaxSize}: they are exactly as long as it. */
final class LargeObjects {

  private LargeObjects() {}

  /** DMS's guide leaves open whether characters or bytes count, so either makes a text suspect. */
  static boolean isTextCutAt(int limit, JsonSlice value) {
    if (value.length() < limit || !value.isString()) {
      return false;
    }
    Text text = value.text();
    return text.length() == limit || text.characters() == limit;
  }

  static boolean areBytesCutAt(int limit, JsonSlice value) {
    return value.length() >= limit && value.isString() && Hexadecimal.countBytes(value.text()) == limit;
  }
}
