package io.cdcaudit.transformer.topology;

import static java.util.stream.Collectors.joining;

import io.cdcaudit.transformer.event.AuditEvent;
import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.IgnoredKind;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.shape.ShapeHistory;
import io.cdcaudit.transformer.shape.ShapeJson;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transforms each change record and sends the outcome to its sinks. One instance for each
 * partition.
 */
final class TransformProcessor implements Processor<byte[], byte[], byte[], byte[]> {

  private static final Logger LOG = LoggerFactory.getLogger(TransformProcessor.class);

  /**
   * Long enough for a catalog entry to come back from its topic, so that only a lost one is
   * published again.
   */
  private static final Duration REPUBLISH_EVERY = Duration.ofSeconds(10);

  private final BiFunction<byte[], Origin, Outcome> transformation;
  private final AuditEventWriter writer;
  private final ShapeHistories histories;
  private final Limits limits;
  private final TransformerMetrics metrics;
  private final Clock clock;
  private final Supplier<Long> beginning;
  private long lastOffset = -1;
  private ProcessorContext<byte[], byte[]> context;

  /**
   * @param beginning the stream order of offset 0; null if offsets say nothing about it
   */
  TransformProcessor(
      BiFunction<byte[], Origin, Outcome> transformation,
      AuditEventWriter writer,
      ShapeHistories histories,
      Limits limits,
      TransformerMetrics metrics,
      Clock clock,
      Supplier<Long> beginning) {
    this.transformation = transformation;
    this.writer = writer;
    this.histories = histories;
    this.limits = limits;
    this.metrics = metrics;
    this.clock = clock;
    this.beginning = beginning;
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> processorContext) {
    context = processorContext;
    lastOffset = -1;
    context.schedule(
        REPUBLISH_EVERY,
        PunctuationType.WALL_CLOCK_TIME,
        now -> histories.unpublished().forEach(this::sendToCatalog));
  }

  /** A change record and its place in Kafka. */
  private record Source(Record<byte[], byte[]> record, Origin origin) {}

  @Override
  public void process(Record<byte[], byte[]> record) {
    Source source = new Source(record, origin(record));
    route(transform(source), source);
  }

  /** No error in one record stops the records after it. */
  private Outcome transform(Source source) {
    try {
      return transformation.apply(source.record().value(), source.origin());
    } catch (RuntimeException bug) {
      return new Outcome.Refused(DeadLetterReason.INTERNAL_ERROR, describe(bug));
    }
  }

  /** Sends an outcome to its sinks, as the table of {@link AuditTopology} says. */
  private void route(Outcome outcome, Source source) {
    if (outcome instanceof Outcome.Audited audited) {
      sendToEvents(audited.event(), source);
    } else if (outcome instanceof Outcome.ShapeDeclared declared) {
      if (declared.event() == null) {
        metrics.count(IgnoredKind.CATALOG.code(), declared.table());
      } else {
        sendToEvents(declared.event(), source);
      }
      histories.add(declared.table(), declared.version());
      if (histories.isUnpublished(declared.table())) {
        sendToCatalog(histories.historyOf(declared.table()));
      }
    } else if (outcome instanceof Outcome.Ignored ignored) {
      metrics.count(ignored.kind().code(), ignored.table());
    } else if (outcome instanceof Outcome.Refused refused) {
      sendToDeadLetters(refused, source);
    }
  }

  /** An event that is too large for its topic makes its source a dead letter. */
  private void sendToEvents(AuditEvent event, Source source) {
    Instant now = clock.instant();
    Timestamp transformedAt = Timestamp.of(now);
    // Retention counts from this time, so the events of a replay are kept as long as any other.
    Record<byte[], byte[]> message =
        new Record<>(writer.key(event), writer.value(event, transformedAt), now.toEpochMilli());
    if (limits.areExceededBy(message, event)) {
      String tooLarge =
          "the audit event has %d bytes; messages may have %d, or what its topic says"
              .formatted(message.value().length, limits.messageMaxBytes());
      sendToDeadLetters(new Outcome.Refused(DeadLetterReason.TOO_LARGE, tooLarge), source);
      return;
    }
    context.forward(message, AuditTopology.EVENTS);
    metrics.count(event.operation().word(), event.table());
    metrics.recordLatency(event.capturedAt(), transformedAt);
  }

  private void sendToCatalog(ShapeHistory history) {
    byte[] key = history.table().quoted().getBytes(StandardCharsets.UTF_8);
    context.forward(
        new Record<>(key, ShapeJson.writeHistory(history), clock.millis()), AuditTopology.CATALOG);
  }

  private void sendToDeadLetters(Outcome.Refused refused, Source source) {
    LOG.warn(
        "The record at {} goes to the dead letters as {}: {}",
        source.origin(),
        refused.reason().code(),
        refused.message());
    Record<byte[], byte[]> letter =
        DeadLetters.of(source.record(), source.origin(), refused, limits.deadLetterMaxBytes());
    context.forward(letter.withTimestamp(clock.millis()), AuditTopology.DEAD_LETTERS);
    metrics.countDeadLetter(refused.reason());
  }

  /** Where the error was thrown. Its message is left out, because it may quote the row. */
  private static String describe(RuntimeException bug) {
    String frames =
        Arrays.stream(bug.getStackTrace()).limit(5).map(Object::toString).collect(joining(", "));
    return bug.getClass().getName() + " at " + frames;
  }

  /** A record that was refused before states the place that it had first. */
  private Origin origin(Record<byte[], byte[]> record) {
    RecordMetadata metadata = context.recordMetadata().orElseThrow();
    refuseToGoBack(metadata);
    Long base = beginning.get();
    String order = DeadLetters.text(record.headers(), DeadLetters.STREAM_ORDER);
    Origin here =
        new Origin(
            metadata.topic(),
            metadata.partition(),
            metadata.offset(),
            base == null ? null : (Long) (base + metadata.offset()));
    String first = DeadLetters.text(record.headers(), DeadLetters.FIRST_ORIGIN);
    return order == null && first == null
        ? here
        : new Origin(
            here.topic(),
            here.partition(),
            here.offset(),
            first == null ? here.first() : first,
            order == null ? here.streamOrder() : Long.valueOf(order));
  }

  /**
   * Offsets grow, unless the topic was deleted and made again. Then the beginning that this process
   * knows is that of another topic.
   */
  private void refuseToGoBack(RecordMetadata metadata) {
    if (metadata.offset() < lastOffset) {
      throw new TopicReplacedException(metadata.topic(), lastOffset, metadata.offset());
    }
    lastOffset = metadata.offset();
  }
}
