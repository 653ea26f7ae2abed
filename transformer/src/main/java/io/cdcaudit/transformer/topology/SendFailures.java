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
 * Decides what a failure to send means: the thread dies, and its successor begins at the last
 * commit. Never that the record is skipped; nor that its task alone begins anew ({@code RETRY}),
 * for Kafka Streams may then commit past it.
 */
public final class SendFailures implements ProductionExceptionHandler {

  /** Key of the Streams configuration under which this finds the {@link OversizedEvents}. */
  public static final String OVERSIZED_EVENTS = "audit.oversized.events";

  /**
   * Key of the Streams configuration under which this finds the name of the topic of audit events.
   */
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
