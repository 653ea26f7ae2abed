package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** The whole topology over topics in memory. */
public final class TransformerDriver implements AutoCloseable {

  /** Bytes that a dead letter may have beyond the record that it keeps. */
  static final int DEAD_LETTER_HEADROOM = 65_536;

  /** The stream order of the first record. */
  public static final long BEGINNING = 1_764_547_200_000_000L;

  private static final ByteArraySerializer SERIALIZER = new ByteArraySerializer();
  private static final ByteArrayDeserializer DESERIALIZER = new ByteArrayDeserializer();

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final OversizedEvents oversized = new OversizedEvents();
  private final TopologyTestDriver driver;
  private final TestInputTopic<byte[], byte[]> raw;
  private final TestInputTopic<byte[], byte[]> catalogIn;
  private final TestOutputTopic<byte[], byte[]> events;
  private final TestOutputTopic<byte[], byte[]> catalog;
  private final TestOutputTopic<byte[], byte[]> deadLetters;

  public TransformerDriver() {
    this(2048, 16 << 20, Clock.systemUTC());
  }

  public TransformerDriver(int lobMaxSizeKilobytes, int messageMaxBytes, Clock clock) {
    this(lobMaxSizeKilobytes, messageMaxBytes, clock, BEGINNING);
  }

  /**
   * @param beginning the stream order of the first record; null as with several partitions
   */
  TransformerDriver(Long beginning) {
    this(2048, 16 << 20, Clock.systemUTC(), beginning);
  }

  private TransformerDriver(
      int lobMaxSizeKilobytes, int messageMaxBytes, Clock clock, Long beginning) {
    AuditProperties properties =
        new AuditProperties(
            "samples",
            "unused:9092",
            "test",
            AuditProperties.Authentication.NONE,
            new AuditProperties.TopicNames(
                "cdc.raw", "audit.events", "audit.catalog", "audit.dead-letter"),
            -1,
            1,
            lobMaxSizeKilobytes,
            messageMaxBytes,
            messageMaxBytes + DEAD_LETTER_HEADROOM,
            8080);
    Topology topology = new Topology();
    AuditTopology.build(
        topology,
        properties,
        oversized,
        new TransformerMetrics(registry),
        clock,
        new ShapeHistories(),
        () -> beginning);
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:9092");
    driver = new TopologyTestDriver(topology, settings);
    raw = driver.createInputTopic("cdc.raw", SERIALIZER, SERIALIZER);
    catalogIn = driver.createInputTopic("audit.catalog", SERIALIZER, SERIALIZER);
    events = driver.createOutputTopic("audit.events", DESERIALIZER, DESERIALIZER);
    catalog = driver.createOutputTopic("audit.catalog", DESERIALIZER, DESERIALIZER);
    deadLetters = driver.createOutputTopic("audit.dead-letter", DESERIALIZER, DESERIALIZER);
  }

  public void send(byte[] record) {
    send(new TestRecord<>(null, record));
  }

  public void send(TestRecord<byte[], byte[]> record) {
    raw.pipeInput(record);
  }

  /** Audit events since the last call. */
  public List<TestRecord<byte[], byte[]>> events() {
    return events.readRecordsToList();
  }

  /** Dead letters since the last call. */
  public List<TestRecord<byte[], byte[]>> deadLetters() {
    return deadLetters.readRecordsToList();
  }

  /** Catalog entries since the last call; of each key the newest, as compaction leaves it. */
  public Map<String, byte[]> catalog() {
    Map<String, byte[]> newest = new TreeMap<>();
    for (TestRecord<byte[], byte[]> entry : catalog.readRecordsToList()) {
      newest.put(new String(entry.key(), StandardCharsets.UTF_8), entry.value());
    }
    return newest;
  }

  /** An entry that comes from the catalog topic, as on start or from another process. */
  public void receiveCatalog(String key, byte[] entry) {
    catalogIn.pipeInput(key.getBytes(StandardCharsets.UTF_8), entry);
  }

  public void advanceWallClock(Duration duration) {
    driver.advanceWallClockTime(duration);
  }

  /** What the metric of records says of a kind. */
  public double count(String kind) {
    return registry.find("audit.records").tag("kind", kind).counters().stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  OversizedEvents oversized() {
    return oversized;
  }

  @Override
  public void close() {
    driver.close();
  }
}
