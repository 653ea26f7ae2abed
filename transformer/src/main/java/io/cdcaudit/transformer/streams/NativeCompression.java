package io.cdcaudit.transformer.streams;

import net.jpountz.util.Native;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The native code of LZ4. Kafka takes it only if it is loaded, or if the library's classes come
 * from the system's class loader, which they do not in a jar that holds its libraries.
 */
final class NativeCompression {

  private static final Logger LOG = LoggerFactory.getLogger(NativeCompression.class);

  private NativeCompression() {}

  /** Without it everything works all the same, for a fifth more CPU time. */
  static void load() {
    try {
      Native.load();
    } catch (LinkageError | RuntimeException unavailable) {
      LOG.warn("LZ4 runs in Java, which is slower: its native code can't be loaded", unavailable);
    }
  }
}
