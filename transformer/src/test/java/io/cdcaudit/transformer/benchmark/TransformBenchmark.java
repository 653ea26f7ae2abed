package io.cdcaudit.transformer.benchmark;

import com.sun.management.OperatingSystemMXBean;
import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.event.Transformation;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.topology.TransformerDriver;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Records per CPU second of the whole process, so garbage collection and compilation count. Each
 * record is an update of a row with a dozen columns, full identity and one changed column, typed by
 * its shape. Run it with
 *
 * <pre>mvn -q -f transformer/pom.xml test-compile exec:java</pre>
 */
public final class TransformBenchmark {

  private static final int DISTINCT_RECORDS = 10_000;
  private static final int ROUNDS = 8;

  private TransformBenchmark() {}

  public static void main(String[] arguments) {
    List<byte[]> records = records();
    long bytes = records.stream().mapToLong(record -> record.length).sum();
    System.out.printf(
        "%d records of %d bytes on average%n", records.size(), bytes / records.size());
    measure("transform alone", records, 30, transformAlone());
    try (TransformerDriver driver = new TransformerDriver()) {
      driver.send(catalogSignal());
      driver.events();
      measure("through Streams' topology, in memory", records, 5, record -> send(driver, record));
    }
  }

  private static Consumer<byte[]> transformAlone() {
    ShapeHistories histories = new ShapeHistories();
    Origin origin = new Origin("cdc.raw", 0, 0, null);
    Transformation transformation = new Transformation("benchmark", 2048 * 1024, histories);
    AuditEventWriter writer = new AuditEventWriter("benchmark");
    Outcome.ShapeDeclared declared =
        (Outcome.ShapeDeclared) transformation.apply(catalogSignal(), origin);
    histories.add(declared.table(), declared.version());
    Clock clock = Clock.systemUTC();
    return record -> {
      Outcome.Audited audited = (Outcome.Audited) transformation.apply(record, origin);
      int size =
          writer.key(audited.event()).length
              + writer.value(audited.event(), Timestamp.of(clock.instant())).length;
      if (size < 500) {
        throw new IllegalStateException("the event is too small to be true");
      }
    };
  }

  private static void send(TransformerDriver driver, byte[] record) {
    driver.send(record);
    if (driver.events().size() != 1) {
      throw new IllegalStateException("the record made no event");
    }
  }

  private static void measure(String name, List<byte[]> records, int times, Consumer<byte[]> work) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    for (int round = 1; round <= ROUNDS; round++) {
      long before = system.getProcessCpuTime();
      for (int time = 0; time < times; time++) {
        records.forEach(work);
      }
      double seconds = (system.getProcessCpuTime() - before) / 1e9;
      System.out.printf(
          "%s, round %d: %,.0f records per CPU second%n",
          name, round, records.size() * times / seconds);
    }
  }

  private static byte[] catalogSignal() {
    String body =
        """
        {"reason": "watch", "command": null, "replica_identity": "full", "key": ["id"], "columns": [
          {"name": "id", "type": "bigint"}, {"name": "customer_id", "type": "bigint"},
          {"name": "status", "type": "text"}, {"name": "paid", "type": "boolean"},
          {"name": "amount", "type": "numeric"}, {"name": "currency", "type": "character"},
          {"name": "tags", "type": "text[]"}, {"name": "attributes", "type": "jsonb"},
          {"name": "note", "type": "text"}, {"name": "created_at", "type": "timestamp with time zone"},
          {"name": "updated_at", "type": "timestamp with time zone"}, {"name": "deleted_at", "type": "timestamp with time zone"}]}\
        """;
    String data =
        "{\"kind\":\"catalog\",\"schema_name\":\"shop\",\"table_name\":\"orders\",\"body_1\":\"%s\"}"
            .formatted(body.replace("\n", "").replace("\"", "\\\""));
    return record(1, "insert", "capture", "signal", "\"data\":" + data);
  }

  private static List<byte[]> records() {
    List<byte[]> records = new ArrayList<>();
    for (int number = 2; number < DISTINCT_RECORDS + 2; number++) {
      String images =
          "\"before-image\":" + row(number, "pending") + ",\"data\":" + row(number, "shipped");
      records.add(record(number, "update", "shop", "orders", images));
    }
    return records;
  }

  private static String row(int number, String status) {
    return """
    {"id":%1$d,"customer_id":%2$d,"status":"%3$s","paid":"t","amount":%2$d.95,"currency":"EUR",\
    "tags":"{gift,express}","attributes":"{\\"size\\": 4, \\"color\\": \\"green\\"}",\
    "note":"Leave with the neighbours if nobody opens","created_at":"2026-11-22T10:11:12.123456Z",\
    "updated_at":"2026-11-22T10:11:12.123456Z","deleted_at":null}\
    """
        .formatted(1_000_000 + number, number % 977, status);
  }

  private static byte[] record(
      int number, String operation, String schema, String table, String images) {
    return """
    {%s,"metadata":{"timestamp":"2026-11-22T10:11:13.000001Z","record-type":"data","operation":"%s",\
    "partition-key-type":"primary-key","partition-key-value":"%s.%s.%d","schema-name":"%3$s","table-name":"%4$s",\
    "transaction-id":%5$d,"transaction-record-id":1,"prev-transaction-id":%5$d,"prev-transaction-record-id":1,\
    "commit-timestamp":"2026-11-22T10:11:12.500000Z","stream-position":"00000002/7C007178.%5$d.00000002/7C007178"}}\
    """
        .formatted(images, operation, schema, table, number)
        .getBytes(StandardCharsets.UTF_8);
  }
}
