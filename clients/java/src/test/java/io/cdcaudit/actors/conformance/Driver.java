package io.cdcaudit.actors.conformance;

import io.cdcaudit.actors.Acting;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Answers the conformance suite: {@code Driver jdbc|hibernate|spring}. README.md of clients/conformance has the protocol. */
public final class Driver {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Client client;
  private final ExecutorService requests = Executors.newCachedThreadPool(Driver::daemon);
  /** Threads that exist before every request, as those of a library's own. */
  private final ExecutorService outside = Executors.newFixedThreadPool(8, Driver::daemon);

  private Driver(Client client) throws Exception {
    this.client = client;
    outside.invokeAll(java.util.Collections.nCopies(8, () -> {
      Thread.sleep(20);
      return null;
    }));
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = System.out;
    // What libraries print is no answer.
    System.setOut(System.err);
    try (Client client = client(arguments.length == 1 ? arguments[0] : "")) {
      Driver driver = new Driver(client);
      answers.println(JSON.writeValueAsString(Map.of("driver", client.driver(), "cannot", client.cannot())));
      BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      int pool = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode batch = JSON.readTree(line);
        if (batch.path("fresh").asBoolean() || batch.get("pool").asInt() != pool) {
          pool = batch.get("pool").asInt();
          client.open(pool);
        }
        answers.println(JSON.writeValueAsString(Map.of("id", batch.get("id"), "errors", driver.batch(batch))));
      }
    }
    System.exit(0);
  }

  private static Client client(String name) {
    return switch (name) {
      case "jdbc" -> new JdbcClient();
      case "hibernate" -> new HibernateClient();
      case "spring" -> new SpringClient();
      default -> throw new IllegalArgumentException("Usage: Driver jdbc|hibernate|spring");
    };
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work);
    thread.setDaemon(true);
    return thread;
  }

  private List<Map<String, Object>> batch(JsonNode batch) throws Exception {
    List<Callable<List<Map<String, Object>>>> work = new ArrayList<>();
    for (JsonNode request : batch.get("requests")) {
      int place = work.size();
      work.add(() -> request(place, request));
    }
    List<Map<String, Object>> errors = new ArrayList<>();
    if (batch.path("concurrent").asBoolean()) {
      for (Future<List<Map<String, Object>>> done : requests.invokeAll(work)) errors.addAll(done.get());
    } else {
      for (Callable<List<Map<String, Object>>> one : work) errors.addAll(one.call());
    }
    return errors;
  }

  private List<Map<String, Object>> request(int place, JsonNode request) {
    Map<String, ?> context = JSON.convertValue(request.path("context").isObject() ? request.get("context") : Map.of(), MAP);
    try (var scope = Acting.as(text(request, "actor"), text(request, "request_id"), context)) {
      requestSteps(request.get("steps"));
      return List.of();
    } catch (Exception error) {
      return List.of(Map.of("request", place, "message", String.valueOf(error)));
    }
  }

  private static final tools.jackson.core.type.TypeReference<Map<String, Object>> MAP = new tools.jackson.core.type.TypeReference<>() {};

  private static String text(JsonNode node, String name) {
    return node.path(name).isString() ? node.get(name).stringValue() : null;
  }

  private void requestSteps(JsonNode steps) throws Exception {
    for (JsonNode step : steps) swallowing(() -> step(step, null));
  }

  private void steps(JsonNode steps, Object within) throws Exception {
    for (JsonNode step : steps) step(step, within);
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void swallowing(Work work) throws Exception {
    try {
      work.run();
    } catch (Client.Undone undone) {
      // It was asked for.
    }
  }

  private void step(JsonNode step, Object within) throws Exception {
    if (step.has("transaction")) {
      Client.Steps steps = block(step, step.get("transaction"));
      swallowing(() -> client.transaction(step.path("readOnly").asBoolean(), text(step, "isolation"), steps));
    } else if (step.has("savepoint")) {
      swallowing(() -> client.savepoint(within, block(step, step.get("savepoint"))));
    } else if (step.has("as")) {
      var act = Acting.current().orElseThrow();
      try (var scope = Acting.as(text(step, "as"), act.requestId(), JSON.readValue(act.context(), MAP))) {
        steps(step.get("steps"), within);
      }
    } else if (step.has("lost")) {
      lost(step.get("lost"), within);
    } else if (step.has("job")) {
      client.job(none -> requestSteps(step.get("job")));
    } else if (step.has("wait")) {
      Thread.sleep(step.get("wait").asInt());
    } else {
      statement(step, within);
    }
  }

  private Client.Steps block(JsonNode step, JsonNode steps) {
    return within -> {
      steps(steps, within);
      if (step.path("rollback").asBoolean()) throw new Client.Undone(null);
    };
  }

  private void lost(JsonNode steps, Object within) throws Exception {
    try {
      outside.submit(() -> {
        if (within == null) requestSteps(steps);
        else steps(steps, within);
        return null;
      }).get();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof Exception cause) throw cause;
      throw error;
    }
  }

  private void statement(JsonNode step, Object within) throws Exception {
    if (step.has("insert")) client.insert(within, text(step, "insert"));
    else if (step.has("update")) client.update(within, text(step, "update"));
    else if (step.has("delete")) client.delete(within, text(step, "delete"));
    else if (step.has("sql")) client.sql(within, text(step, "sql"));
    else if (step.has("read")) client.read(within);
    else if (step.has("lock")) client.sql(within, Client.LOCK);
    else if (step.has("fail")) fail(within);
    else throw new IllegalArgumentException("The driver does not know the step " + step);
  }

  private void fail(Object within) {
    try {
      client.sql(within, "SELECT 1/0");
    } catch (Exception error) {
      throw new Client.Undone(error);
    }
  }
}
