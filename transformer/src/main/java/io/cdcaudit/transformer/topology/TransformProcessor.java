package io.cdcaudit.transformer.topology;

import static java.util.stream.Collectors.joining;

import io.cdcaudit.transformer.catalog.CatalogJson;
import io.cdcaudit.transformer.catalog.Catalogs;
import io.cdcaudit.transformer.catalog.TableHistory;
import io.cdcaudit.transformer.event.AuditEvent;
import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.Timestamp;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.function.BiFunction;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what becomes of each change record to where it belongs. One instance for each partition.
 */
final class TransformProcessor implements Processor<byte[], byte[], byte[], byte[]> {

  private static final Logger LOG = LoggerFactory.getLogger(TransformProcessor.class);

  /**
   * Long enough for an entry to come back from the topic: only what got lost on the way is
   * published again.
   */
  private static final Duration REPUBLISH_EVERY = Duration.ofSeconds(10);

  private final BiFunction<byte[], Origin, Outcome> transformation;
  private final AuditEventWriter writer;
  private final Catalogs catalogs;
  private final OversizedEvents oversized;
  private final TransformerMetrics metrics;
  private final int messageMaxBytes;
  private final int deadLetterMaxBytes;
  private final Clock clock;
  private ProcessorContext<byte[], byte[]> context;

  TransformProcessor(
      BiFunction<byte[], Origin, Outcome> transformation,
      AuditEventWriter writer,
      Catalogs catalogs,
      OversizedEvents oversized,
      TransformerMetrics metrics,
      int messageMaxBytes,
      int deadLetterMaxBytes,
      Clock clock) {
    this.transformation = transformation;
    this.writer = writer;
    this.catalogs = catalogs;
    this.oversized = oversized;
    this.metrics = metrics;
    this.messageMaxBytes = messageMaxBytes;
    this.deadLetterMaxBytes = deadLetterMaxBytes;
    this.clock = clock;
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> processorContext) {
    context = processorContext;
    context.schedule(REPUBLISH_EVERY, PunctuationType.WALL_CLOCK_TIME, this::republish);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    Origin origin = origin();
    Outcome outcome = transform(record, origin);
    if (outcome instanceof Outcome.Audited audited) {
      send(audited.event(), record, origin);
    } else if (outcome instanceof Outcome.Declared declared) {
      declare(declared, record, origin);
    } else if (outcome instanceof Outcome.Ignored ignored) {
      metrics.count(ignored.kind().code(), ignored.table());
    } else if (outcome instanceof Outcome.Refused refused) {
      refuse(refused, record, origin);
    }
  }

  /** Whatever one record brings about, the rest flows on. */
  private Outcome transform(Record<byte[], byte[]> record, Origin origin) {
    try {
      return transformation.apply(record.value(), origin);
    } catch (RuntimeException bug) {
      return new Outcome.Refused(DeadLetterReason.INTERNAL_ERROR, describe(bug));
    }
  }

  /** Where it happened, but not its message, which may quote the row. */
  private static String describe(RuntimeException bug) {
    String frames =
        Arrays.stream(bug.getStackTrace()).limit(5).map(Object::toString).collect(joining(", "));
    return bug.getClass().getName() + " at " + frames;
  }

  private void send(AuditEvent event, Record<byte[], byte[]> source, Origin origin) {
    Instant now = clock.instant();
    Timestamp transformedAt = Timestamp.of(now);
    // Retention counts from here on: what a replay writes is as new as anything else.
    Record<byte[], byte[]> message =
        new Record<>(writer.key(event), writer.value(event, transformedAt), now.toEpochMilli());
    if (MessageSize.of(message) > messageMaxBytes || oversized.contains(event.id())) {
      String tooLarge =
          "the audit event has %d bytes; messages may have %d, or what its topic says"
              .formatted(message.value().length, messageMaxBytes);
      refuse(new Outcome.Refused(DeadLetterReason.TOO_LARGE, tooLarge), source, origin);
      return;
    }
    context.forward(message, AuditTopology.EVENTS);
    metrics.count(event.operation().word(), event.table());
    metrics.recordLatency(event.capturedAt(), transformedAt);
  }

  private void declare(Outcome.Declared declared, Record<byte[], byte[]> record, Origin origin) {
    if (declared.event() == null) {
      metrics.count("catalog", declared.table());
    } else {
      send(declared.event(), record, origin);
    }
    catalogs.add(declared.table(), declared.version());
    if (catalogs.isUnpublished(declared.table())) {
      publish(catalogs.historyOf(declared.table()));
    }
  }

  private void refuse(Outcome.Refused refused, Record<byte[], byte[]> record, Origin origin) {
    LOG.warn(
        "The record at {} goes to the dead letters as {}: {}",
        origin,
        refused.reason().code(),
        refused.message());
    Record<byte[], byte[]> letter = DeadLetters.of(record, origin, refused, deadLetterMaxBytes);
    context.forward(letter.withTimestamp(clock.millis()), AuditTopology.DEAD_LETTERS);
    metrics.countDeadLetter(refused.reason());
  }

  private void republish(long now) {
    catalogs.unpublished().forEach(this::publish);
  }

  private void publish(TableHistory history) {
    byte[] key = history.table().quoted().getBytes(StandardCharsets.UTF_8);
    context.forward(
        new Record<>(key, CatalogJson.writeHistory(history), clock.millis()),
        AuditTopology.CATALOG);
  }

  private Origin origin() {
    RecordMetadata metadata = context.recordMetadata().orElseThrow();
    return new Origin(metadata.topic(), metadata.partition(), metadata.offset());
  }
}
