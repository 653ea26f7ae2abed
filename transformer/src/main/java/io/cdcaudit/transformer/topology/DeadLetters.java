package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.contract.DeadLetterContract;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.IncomingRecordReader;
import io.cdcaudit.transformer.record.RefusedRecordException;
import io.cdcaudit.transformer.record.TableName;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Refused records, whole, with what is wrong in headers; their names are the
 * contract's. A record that is sent again keeps its place, which two more headers state.
 */
public final class DeadLetters {

  static final String REASON = DeadLetterContract.header("reason");
  static final String MESSAGE = DeadLetterContract.header("message");
  static final String TOPIC = DeadLetterContract.header("topic");
  static final String PARTITION = DeadLetterContract.header("partition");
  static final String OFFSET = DeadLetterContract.header("offset");

  static final String REPLAYED_OFFSET = DeadLetterContract.header("replayedOffset");
  static final String FIRST_ORIGIN = DeadLetterContract.header("firstOrigin");
  static final String STREAM_ORDER = DeadLetterContract.header("streamOrder");

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
    if (headers.lastHeader(FIRST_ORIGIN) == null) {
      put(headers, FIRST_ORIGIN, origin.first());
    }
    if (origin.streamOrder() != null) {
      put(headers, STREAM_ORDER, Long.toString(origin.streamOrder()));
    }
    return record.withHeaders(headers);
  }

  /** The offset of the dead letter that a marker says was sent again; null for a dead letter. */
  public static Long replayedOffset(Headers headers) {
    String offset = text(headers, REPLAYED_OFFSET);
    return offset == null ? null : Long.valueOf(offset);
  }

  /** The table of a record that was refused because nothing had described it; null of others. */
  public static TableName undescribedTable(ConsumerRecord<byte[], byte[]> letter) {
    boolean waits =
        DeadLetterReason.UNDESCRIBED_TABLE.code().equals(text(letter.headers(), REASON))
            && letter.value() != null;
    if (!waits) {
      return null;
    }
    try {
      return new IncomingRecordReader().read(letter.value()) instanceof ChangeRecord record
          ? record.table()
          : null;
    } catch (RefusedRecordException anothersLetter) {
      return null;
    }
  }

  /** Where the record of a dead letter stood when it came for the first time. */
  public static Origin origin(Headers headers) {
    String order = text(headers, STREAM_ORDER);
    return new Origin(
        text(headers, TOPIC),
        Integer.parseInt(text(headers, PARTITION)),
        Long.parseLong(text(headers, OFFSET)),
        text(headers, FIRST_ORIGIN),
        order == null ? null : Long.valueOf(order));
  }

  /** What marks a dead letter as sent again. */
  public static ProducerRecord<byte[], byte[]> replayMarker(
      ConsumerRecord<byte[], byte[]> letter) {
    Headers headers = new RecordHeaders();
    put(headers, REPLAYED_OFFSET, Long.toString(letter.offset()));
    return new ProducerRecord<>(letter.topic(), letter.partition(), null, null, null, headers);
  }

  /** The text of a header; null without it. */
  static String text(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null
        ? null
        : new String(header.value(), StandardCharsets.UTF_8);
  }

  private static void put(Headers headers, String name, String value) {
    headers.remove(name);
    headers.add(name, value.getBytes(StandardCharsets.UTF_8));
  }
}
