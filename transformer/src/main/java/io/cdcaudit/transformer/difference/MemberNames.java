package io.cdcaudit.transformer.difference;

import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.Text;
import java.util.Arrays;

/** The names of an object's members, as JSON strings with their quotes. */
final class MemberNames {

  private MemberNames() {}

  /** Compares two names as jsonb does: shorter ones first, those of one length byte by byte. */
  static int compare(
      byte[] bytes, int start, int end, byte[] otherBytes, int otherStart, int otherEnd) {
    if (Arrays.equals(bytes, start, end, otherBytes, otherStart, otherEnd)) {
      return 0;
    }
    Text name = new JsonSlice(bytes, start, end).text();
    Text other = new JsonSlice(otherBytes, otherStart, otherEnd).text();
    return name.length() != other.length()
        ? name.length() - other.length()
        : Arrays.compareUnsigned(
            name.bytes(), name.start(), name.end(), other.bytes(), other.start(), other.end());
  }
}
