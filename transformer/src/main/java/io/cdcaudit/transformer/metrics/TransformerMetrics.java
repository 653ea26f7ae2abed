package io.cdcaudit.transformer.metrics;

import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.record.Timestamp;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Counts what became of each record, and how long after DMS built it. */
public final class TransformerMetrics {

  private static final TableName NO_TABLE = new TableName("", "");

  private final MeterRegistry registry;
  private final Timer latency;
  private final Map<String, Map<TableName, Counter>> records = new ConcurrentHashMap<>();

  public TransformerMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.latency =
        Timer.builder("audit.transform.latency")
            .description(
                "Time from captured_at, when DMS built the change record, to transformed_at")
            .serviceLevelObjectives(
                Duration.ofMillis(10),
                Duration.ofMillis(50),
                Duration.ofMillis(100),
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30),
                Duration.ofMinutes(5))
            .register(registry);
  }

  /**
   * @param kind the event's operation, or why there is no event
   */
  public void count(String kind, TableName table) {
    records
        .computeIfAbsent(kind, name -> new ConcurrentHashMap<>())
        .computeIfAbsent(table == null ? NO_TABLE : table, name -> recordCounter(kind, name))
        .increment();
  }

  public void countDeadLetter(DeadLetterReason reason) {
    registry.counter("audit.dead.letters", "reason", reason.code()).increment();
  }

  public void recordLatency(Timestamp capturedAt, Timestamp transformedAt) {
    long microseconds = transformedAt.epochMicroseconds() - capturedAt.epochMicroseconds();
    latency.record(Math.max(0, microseconds), TimeUnit.MICROSECONDS);
  }

  private Counter recordCounter(String kind, TableName table) {
    return Counter.builder("audit.records")
        .description("Change records by what became of them")
        .tag("kind", kind)
        .tag("schema", table.schema())
        .tag("table", table.table())
        .register(registry);
  }
}
