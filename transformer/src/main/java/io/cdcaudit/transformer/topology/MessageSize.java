package io.cdcaudit.transformer.topology;

import org.apache.kafka.common.header.Header;
import org.apache.kafka.streams.processor.api.Record;

/** The largest size of a record in a batch of its own, which is what Kafka limits. */
final class MessageSize {

  /** The batch's header of 61 bytes, and the record's lengths and deltas in their longest form. */
  private static final int OVERHEAD = 128;

  private static final int HEADER_OVERHEAD = 10;

  private MessageSize() {}

  static long of(Record<byte[], byte[]> record) {
    long size = OVERHEAD + length(record.key()) + length(record.value());
    for (Header header : record.headers()) {
      size += HEADER_OVERHEAD + 3L * header.key().length() + length(header.value());
    }
    return size;
  }

  private static long length(byte[] bytes) {
    return bytes == null ? 0 : bytes.length;
  }
}
