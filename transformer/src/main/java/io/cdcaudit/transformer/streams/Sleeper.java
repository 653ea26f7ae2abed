package io.cdcaudit.transformer.streams;

import java.time.Duration;

/** Waits. A test passes one that takes no time. */
@FunctionalInterface
interface Sleeper {

  Sleeper SYSTEM = duration -> Thread.sleep(duration.toMillis());

  void sleep(Duration duration) throws InterruptedException;
}
