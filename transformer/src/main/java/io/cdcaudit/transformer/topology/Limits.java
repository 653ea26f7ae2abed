package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.event.AuditEvent;
import org.apache.kafka.streams.processor.api.Record;

/**
 * How large messages may be.
 *
 * @param messageMaxBytes of an audit event
 * @param deadLetterMaxBytes of a dead letter
 * @param oversized events that a broker found too large although they are not larger than this
 */
record Limits(int messageMaxBytes, int deadLetterMaxBytes, OversizedEvents oversized) {

  static Limits of(AuditProperties properties, OversizedEvents oversized) {
    return new Limits(properties.messageMaxBytes(), properties.deadLetterMaxBytes(), oversized);
  }

  /** Whether the event topic cannot take an event's message. */
  boolean areExceededBy(Record<byte[], byte[]> message, AuditEvent event) {
    return MessageSize.of(message) > messageMaxBytes || oversized.contains(event.id());
  }
}
