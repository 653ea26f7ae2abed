package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.connect.fixture.Events;
import io.cdcaudit.connect.fixture.Servers;
import io.cdcaudit.connect.fixture.TestSink;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The built ZIP in a real worker, with the contract's properties, between a real broker and a real PostgreSQL. */
class AuditSinkIT {
  private static Servers servers;

  @BeforeAll
  static void startServers() {
    servers = new Servers();
  }

  @AfterAll
  static void stopServers() {
    servers.close();
  }

  @Test
  void everyFieldArrivesAsItWasSent() throws Exception {
    try (TestSink sink = new TestSink(servers, "every_field").start()) {
      sink.send("public.orders {\"id\":7}", Events.order(7));
      sink.awaitRows(1, Duration.ofSeconds(20));

      Map<String, String> row = sink.table.row("SELECT * FROM audit.events");
      assertThat(row).containsEntry("committed_at", "2026-11-22 10:15:30.000007+00");
    }
  }
}
