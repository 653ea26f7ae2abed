package io.cdcaudit.transformer.benchmark;

import com.sun.management.OperatingSystemMXBean;
import io.cdcaudit.transformer.event.AuditEventWriter;
import io.cdcaudit.transformer.event.Origin;
import io.cdcaudit.transformer.event.Outcome;
import io.cdcaudit.transformer.event.Transformation;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.shape.ShapeHistories;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * CPU for an update of a row with a document of jsonb, of which one member changes: the documents of
 * {@code npm run bench}, without Kafka. It prints the bytes of a record and of its event, and
 * microseconds of the whole process. Run it with
 *
 * <pre>mvn -q -f transformer/pom.xml test-compile exec:java
 * -Dexec.mainClass=io.cdcaudit.transformer.benchmark.DocumentBenchmark</pre>
 */
public final class DocumentBenchmark {

  private static final int DISTINCT_RECORDS = 500;
  private static final int ROUNDS = 6;

  private DocumentBenchmark() {}

  public static void main(String[] arguments) {
    for (int lines : new int[] {9, 73}) {
      measure(lines);
    }
  }

  private static void measure(int lines) {
    ShapeHistories histories = new ShapeHistories();
    Origin origin = new Origin("cdc.raw", 0, 0, null);
    Transformation transformation = new Transformation("benchmark", 2048 * 1024, histories);
    AuditEventWriter writer = new AuditEventWriter("benchmark");
    Outcome.ShapeDeclared declared =
        (Outcome.ShapeDeclared) transformation.apply(catalogSignal(), origin);
    histories.add(declared.table(), declared.version());
    Clock clock = Clock.systemUTC();
    List<byte[]> records = records(lines);
    int times = 400_000 / lines;
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    for (int round = 1; round <= ROUNDS; round++) {
      long bytes = 0;
      long before = system.getProcessCpuTime();
      for (int time = 0; time < times; time++) {
        byte[] record = records.get(time % records.size());
        Outcome.Audited audited = (Outcome.Audited) transformation.apply(record, origin);
        bytes += writer.value(audited.event(), Timestamp.of(clock.instant())).length;
      }
      System.out.printf(
          "%d lines, round %d: record %,d bytes, event %,d bytes, %.1f microseconds%n",
          lines,
          round,
          records.get(0).length,
          bytes / times,
          (system.getProcessCpuTime() - before) / 1e3 / times);
    }
  }

  private static byte[] catalogSignal() {
    String body =
        """
        {"reason": "watch", "command": null, "replica_identity": "full", "key": ["id"], "columns": [
          {"name": "id", "type": "integer"}, {"name": "document", "type": "jsonb"}]}\
        """;
    String data =
        "{\"kind\":\"catalog\",\"schema_name\":\"ledger\",\"table_name\":\"documents\",\"body_1\":%s}"
            .formatted(quoted(body.replace("\n", "")));
    return record(1, "insert", "capture", "signal", "\"data\":" + data);
  }

  private static List<byte[]> records(int lines) {
    List<byte[]> records = new ArrayList<>();
    for (int number = 2; number < DISTINCT_RECORDS + 2; number++) {
      String images =
          "\"before-image\":" + row(number, lines, 7 * number) + ",\"data\":" + row(number, lines, 3 * number);
      records.add(record(number, "update", "ledger", "documents", images));
    }
    return records;
  }

  private static String row(int number, int lines, int revision) {
    StringBuilder document = new StringBuilder("{\"lines\": [");
    for (int line = 1; line <= lines; line++) {
      document.append(line == 1 ? "" : ", ");
      document.append(
          "{\"sku\": \"%032x\", \"note\": \"as ordered\", \"price\": %d.%02d, \"quantity\": %d}"
              .formatted(0x9E3779B97F4A7C15L * (number * 1000L + line), number, line, line % 7));
    }
    document.append("], \"revision\": ").append(revision).append('}');
    return "{\"id\":" + number + ",\"document\":" + quoted(document.toString()) + "}";
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
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
