package io.cdcaudit.connect.benchmark;

import io.cdcaudit.connect.fixture.Eventually;
import io.cdcaudit.connect.fixture.Servers;
import io.cdcaudit.connect.fixture.TestSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Rows per second that the sink drains from a full topic, beside Debezium's own connector with the
 * same properties and converter. One machine runs everything, so only the ratio within one run
 * means something.
 *
 * <p>Run it from the repository, once {@code mvn -f connect/pom.xml verify} has built what it
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

  private SinkBenchmark() {}

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
    try (Servers servers = new Servers()) {
      for (int tasks = 1; tasks <= 2; tasks++) {
        List<Result> stock = new ArrayList<>();
        List<Result> ours = new ArrayList<>();
        for (int round = 0; round <= ROUNDS; round++) {
          Result stockResult = drain(servers, "stock_%d_%d".formatted(tasks, round), tasks, STOCK);
          Result ourResult = drain(servers, "ours_%d_%d".formatted(tasks, round), tasks, Map.of());
          if (round > 0) { // The first round warms up the servers.
            stock.add(stockResult);
            ours.add(ourResult);
          }
        }
        report(tasks, Result.mean(ours), Result.mean(stock));
      }
    }
  }

  private static void report(int tasks, Result ours, Result stock) {
    System.out.printf(
        Locale.ROOT,
        "%d task(s), %d rounds of %,d events%n  this sink:  %s%n  Debezium's: %s%n"
            + "  %.2f times the rows a second, %.2f times the processor time a row%n",
        tasks,
        ROUNDS,
        EVENTS,
        ours,
        stock,
        ours.rowsPerSecond / stock.rowsPerSecond,
        ours.processorMicroseconds / stock.processorMicroseconds);
  }

  private static Result drain(Servers servers, String name, int tasks, Map<String, String> changes)
      throws Exception {
    TestSink sink = new TestSink(servers, name);
    try (sink) {
      // Debezium's upsert overwrites, for which it needs more rights.
      sink.table.execute("GRANT SELECT, UPDATE ON audit.events TO " + sink.user);
      sink.properties.put("tasks.max", String.valueOf(tasks));
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
