package io.cdcaudit.actors.conformance;

import com.zaxxer.hikari.HikariDataSource;

/** Frameworks start slowly, so the pool beneath them stays and its connections go. */
final class Fresh {
  private Fresh() {}

  static void connections(HikariDataSource pool, int size) {
    pool.setMaximumPoolSize(size);
    if (pool.isRunning() && pool.getHikariPoolMXBean() != null) pool.getHikariPoolMXBean().softEvictConnections();
  }
}
