package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.contract.DeadLetterContract;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Refused records, whole, with what is wrong in headers; their names are the
 * contract's.
 */
final class DeadLetters {

  static final String REASON = DeadLetterContract.header("reason");
  static final String MESSAGE = DeadLetterContract.header("message");
  static final String TOPIC = DeadLetterContract.header("topic");
  static final String PARTITION = DeadLetterContract.header("partition");
  static final String OFFSET = DeadLetterContract.header("offset");

  private static final int LONGEST_MESSAGE = 1_000;

  private DeadLetters() {}

  /** Keeps the record's own headers: a replay counts its attempts in one. */
  static Record<byte[], byte[]> of(
      Record<byte[], byte[]> record,
      Origin origin,
      Outcome.Refused refused,
      int deadLetterMaxBytes) {
    Record<byte[], byte[]> letter =
        withHeaders(record, origin, refused.reason().code(), refused.message());
    if (MessageSize.of(letter) <= deadLetterMaxBytes) {
      return letter;
    }
    String message =
        refused.message()
            + "; with these headers the record is too large for this topic: see its source";
    return withHeaders(record.withValue(null), origin, refused.reason().code(), message);
  }

  private static Record<byte[], byte[]> withHeaders(
      Record<byte[], byte[]> record, Origin origin, String reason, String message) {
    Headers headers = new RecordHeaders(record.headers());
    put(headers, REASON, reason);
    put(
        headers,
        MESSAGE,
        message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE));
    put(headers, TOPIC, origin.topic());
    put(headers, PARTITION, Integer.toString(origin.partition()));
    put(headers, OFFSET, Long.toString(origin.offset()));
    return record.withHeaders(headers);
  }

  private static void put(Headers headers, String name, String value) {
    headers.remove(name);
    headers.add(name, value.getBytes(StandardCharsets.UTF_8));
  }
}
