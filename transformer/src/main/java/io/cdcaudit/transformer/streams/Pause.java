package io.cdcaudit.transformer.streams;

import java.time.Duration;

/** Waiting, which a test need not do. */
@FunctionalInterface
interface Pause {

  Pause SLEEP = duration -> Thread.sleep(duration.toMillis());

  void of(Duration duration) throws InterruptedException;
}
