package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.json.JsonSyntax;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProductionExceptionHandler;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Decides what happens when a message cannot be sent: the thread dies, and its successor begins at
 * the last commit.
 *
 * <p>The message is never skipped. Its task is also never restarted alone ({@code RETRY}), because
 * Kafka Streams may then commit past it.
 */
public final class SendFailures implements ProductionExceptionHandler {

  /** The key in the Streams configuration of the {@link OversizedEvents}. */
  public static final String OVERSIZED_EVENTS = "audit.oversized.events";

  /** The key in the Streams configuration of the name of the topic of audit events. */
  public static final String EVENTS_TOPIC = "audit.events.topic";

  private OversizedEvents oversized;
  private String eventsTopic;

  @Override
  public void configure(Map<String, ?> configuration) {
    oversized = (OversizedEvents) configuration.get(OVERSIZED_EVENTS);
    eventsTopic = (String) configuration.get(EVENTS_TOPIC);
  }

  @Override
  public Response handleError(
      ErrorHandlerContext context, ProducerRecord<byte[], byte[]> record, Exception exception) {
    if (exception instanceof RecordTooLargeException && record.topic().equals(eventsTopic)) {
      oversized.add(eventId(record.value()));
    }
    return Response.fail();
  }

  private static UUID eventId(byte[] event) {
    try (JsonParser parser = JsonSyntax.parser(event)) {
      while (!(parser.nextToken() == JsonToken.PROPERTY_NAME
          && parser.currentName().equals("event_id"))) {
        // It is among the first members.
      }
      return UUID.fromString(parser.nextStringValue());
    }
  }
}
