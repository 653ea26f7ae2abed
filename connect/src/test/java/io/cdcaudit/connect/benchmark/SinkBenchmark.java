package io.cdcaudit.connect.benchmark;

import io.cdcaudit.connect.fixture.Eventually;
import io.cdcaudit.connect.fixture.Servers;
import io.cdcaudit.connect.fixture.TestSink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Rows per second that the sink drains from a full topic, compared with Debezium's own connector
 * with the same properties and converter. One machine runs everything, so only the ratio within one
 * run means something.
 *
 * <p>Run it from the repository, after {@code mvn -f connect/pom.xml verify} has built what it
 * needs: {@code mvn -q -f connect/pom.xml exec:java@benchmark}.
 */
public final class SinkBenchmark {
  private static final int EVENTS = Integer.getInteger("events", 200_000);
  private static final int ROUNDS = Integer.getInteger("rounds", 2);

  /**
   * Debezium's own, with what it needs besides: a small pool, and no event twice in one statement.
   */
  private static final Map<String, String> STOCK =
      Map.of(
          "connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector",
          "connection.pool.min_size", "1",
          "connection.pool.max_size", "2",
          "connection.pool.acquire_increment", "1",
          "use.reduction.buffer", "true");

  /** So that each drain has a database and topics of its own. */
  private static int drains;

  private SinkBenchmark() {}

  /**
   * What the benchmark varies.
   *
   * @param shippedIndexes false leaves the primary key alone
   */
  private record Setup(int tasks, int batch, boolean shippedIndexes, boolean withStock) {}

  /** With {@code -Dsetups=usual} ours alone, as it is deployed. */
  private static final List<Setup> SETUPS =
      "usual".equals(System.getProperty("setups"))
          ? List.of(new Setup(2, 1000, true, false))
          : List.of(
              new Setup(1, 1000, true, true),
              new Setup(2, 1000, true, true),
              new Setup(2, 3000, true, true),
              new Setup(2, 1000, false, false));

  /** What one connector did with a full topic. */
  private record Result(double rowsPerSecond, double processorMicroseconds) {
    static Result mean(List<Result> results) {
      return new Result(
          results.stream().mapToDouble(Result::rowsPerSecond).average().orElseThrow(),
          results.stream().mapToDouble(Result::processorMicroseconds).average().orElseThrow());
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%,.0f rows/s, %.0f µs of the worker's processor time a row",
          rowsPerSecond,
          processorMicroseconds);
    }
  }

  public static void main(String[] arguments) throws Exception {
    List<Map<String, Object>> results = new ArrayList<>();
    try (Servers servers = new Servers()) {
      for (Setup setup : SETUPS) {
        List<Result> stock = new ArrayList<>();
        List<Result> ours = new ArrayList<>();
        for (int round = 0; round <= ROUNDS; round++) {
          Result stockResult = setup.withStock ? drain(servers, "stock", setup, STOCK) : null;
          Result ourResult = drain(servers, "ours", setup, Map.of());
          if (round > 0) { // The first round warms up the servers.
            stock.add(stockResult);
            ours.add(ourResult);
          }
        }
        report(results, "ours", setup, Result.mean(ours));
        if (setup.withStock) {
          report(results, "stock", setup, Result.mean(stock));
        }
      }
    }
    String file = System.getProperty("result");
    if (file != null) {
      Files.writeString(Path.of(file), JsonMapper.shared().writeValueAsString(results));
    }
  }

  private static void report(
      List<Map<String, Object>> results, String sink, Setup setup, Result result) {
    System.out.printf(
        Locale.ROOT,
        "%s sink, %d task(s), batches of %,d, %s: %s%n",
        sink,
        setup.tasks,
        setup.batch,
        setup.shippedIndexes ? "shipped indexes" : "primary key alone",
        result);
    results.add(
        Map.of(
            "sink", sink,
            "tasks", setup.tasks,
            "batch", setup.batch,
            "indexes", setup.shippedIndexes ? "shipped" : "key",
            "rowsPerSecond", result.rowsPerSecond,
            "processorMicroseconds", result.processorMicroseconds));
  }

  private static Result drain(
      Servers servers, String kind, Setup setup, Map<String, String> changes) throws Exception {
    TestSink sink = new TestSink(servers, kind + "_" + drains++);
    try (sink) {
      // Debezium's upsert overwrites rows, so its user needs more rights.
      sink.table.execute("GRANT SELECT, UPDATE ON audit.events TO " + sink.user);
      if (setup.shippedIndexes) {
        sink.table.useShippedIndexes();
      } else {
        sink.table.dropSecondaryIndexes();
      }
      sink.properties.put("tasks.max", String.valueOf(setup.tasks));
      sink.properties.put("batch.size", String.valueOf(setup.batch));
      sink.properties.put("consumer.override.max.poll.records", String.valueOf(setup.batch));
      sink.properties.putAll(changes);
      sink.sendOrders(0, EVENTS);
      servers.broker.flush();
      sink.start();
      long firstCount = awaitMoreThan(0, sink);
      long start = System.nanoTime();
      Duration processorTime = servers.worker.processorTime();
      awaitMoreThan(EVENTS - 1, sink);
      double seconds = (System.nanoTime() - start) / 1e9;
      double processorMicroseconds =
          servers.worker.processorTime().minus(processorTime).toNanos() / 1e3;
      long events = EVENTS - firstCount;
      return new Result(events / seconds, processorMicroseconds / events);
    } finally {
      sink.table.drop();
    }
  }

  /** Counting costs the server as well, so it is not done often. */
  private static long awaitMoreThan(long count, TestSink sink) {
    long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
    while (System.nanoTime() < deadline) {
      long now = sink.table.count();
      if (now > count) {
        return now;
      }
      Eventually.pause(Duration.ofMillis(count == 0 ? 20 : 300));
    }
    throw new IllegalStateException(
        "The sink stored no more than " + sink.table.count() + " rows in 5 minutes");
  }
}
