package io.cdcaudit.transformer.difference;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** How much two byte ranges have in common. */
final class SharedBytes {

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private SharedBytes() {}

  /** How many bytes two ranges begin with alike; all of the shorter one at most. */
  static int head(byte[] bytes, int start, int end, byte[] others, int otherStart, int otherEnd) {
    int most = Math.min(end - start, otherEnd - otherStart);
    int mismatch =
        Arrays.mismatch(bytes, start, start + most, others, otherStart, otherStart + most);
    return mismatch < 0 ? most : mismatch;
  }

  /** How many bytes before two ends are alike, counted up to a bound. */
  static int tail(byte[] bytes, int end, byte[] others, int otherEnd, int most) {
    int count = 0;
    while (count + Long.BYTES <= most
        && (long) EIGHT.get(bytes, end - count - Long.BYTES)
            == (long) EIGHT.get(others, otherEnd - count - Long.BYTES)) {
      count += Long.BYTES;
    }
    while (count < most && bytes[end - count - 1] == others[otherEnd - count - 1]) {
      count++;
    }
    return count;
  }
}
