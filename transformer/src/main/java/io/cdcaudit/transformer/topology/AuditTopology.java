package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.Transformation;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.shape.ShapeHistories;
import java.time.Clock;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Change records in; audit events, catalog entries and dead letters out.
 *
 * <p>Each change record has one outcome, and each outcome its sinks:
 *
 * <table>
 *   <caption>What {@link TransformProcessor} sends to which sink</caption>
 *   <tr><th>outcome</th><th>sink</th></tr>
 *   <tr><td>{@code Audited}</td><td>its event to {@link #EVENTS}</td></tr>
 *   <tr><td>{@code ShapeDeclared}</td><td>its event, if it has one, to {@link #EVENTS}, and the
 *       table's history to {@link #CATALOG}, unless the topic shows it already</td></tr>
 *   <tr><td>{@code Ignored}</td><td>none; it is counted by kind</td></tr>
 *   <tr><td>{@code Refused}</td><td>the whole record to {@link #DEAD_LETTERS}, and likewise that of
 *       an event that is too large for {@link #EVENTS}</td></tr>
 * </table>
 */
public final class AuditTopology {

  static final String EVENTS = "audit-events";
  static final String CATALOG = "catalog-entries";
  static final String DEAD_LETTERS = "dead-letters";

  private static final String CHANGE_RECORDS = "change-records";
  private static final String TRANSFORM = "transform";

  private AuditTopology() {}

  /**
   * Adds everything to an empty topology.
   *
   * @param histories empty; the topology fills it
   * @param beginning tells, once records flow, the stream order of offset 0, or null
   */
  public static void build(
      Topology topology,
      AuditProperties properties,
      OversizedEvents oversized,
      TransformerMetrics metrics,
      Clock clock,
      ShapeHistories histories,
      Supplier<Long> beginning) {
    AuditProperties.TopicNames topics = properties.topics();
    Limits limits = Limits.of(properties, oversized);
    ByteArrayDeserializer in = new ByteArrayDeserializer();
    ByteArraySerializer out = new ByteArraySerializer();

    // Read whole before the first change record.
    topology.addGlobalStore(
        catalogStore(),
        "catalog-source",
        new StringDeserializer(),
        in,
        topics.catalog(),
        "catalog",
        () -> new CatalogProcessor(histories));

    topology.addSource(
        AutoOffsetReset.earliest(), CHANGE_RECORDS, AuditTopology::timeOf, in, in, topics.raw());
    topology.addProcessor(
        TRANSFORM,
        () ->
            new TransformProcessor(
                new Transformation(properties.sourceId(), properties.lobLimit(), histories)::apply,
                new AuditEventWriter(properties.sourceId()),
                histories,
                limits,
                metrics,
                clock,
                beginning),
        CHANGE_RECORDS);
    topology.addSink(EVENTS, topics.events(), out, out, TRANSFORM);
    topology.addSink(CATALOG, topics.catalog(), out, out, TRANSFORM);
    topology.addSink(DEAD_LETTERS, topics.deadLetter(), out, out, TRANSFORM);
  }

  /** Kafka's own time; a record without one must not stop the stream. */
  private static long timeOf(ConsumerRecord<Object, Object> record, long partitionTime) {
    return Math.max(record.timestamp(), 0);
  }

  private static StoreBuilder<KeyValueStore<String, byte[]>> catalogStore() {
    return Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore(CatalogProcessor.STORE),
            Serdes.String(),
            Serdes.ByteArray())
        .withLoggingDisabled();
  }
}
