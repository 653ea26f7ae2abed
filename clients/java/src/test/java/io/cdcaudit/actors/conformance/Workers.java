package io.cdcaudit.actors.conformance;

import io.cdcaudit.actors.Acting;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Threads that are there before any request, for work that is carried to them as the readme says. */
final class Workers implements AutoCloseable {
  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  /** Runs the steps in one of the threads and waits for their end. */
  void run(Client.Steps work) throws InterruptedException {
    try {
      threads.submit(Acting.carry(() -> {
        work.run(null);
        return null;
      })).get();
    } catch (ExecutionException error) {
      throw new IllegalStateException(error.getCause());
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }
}
