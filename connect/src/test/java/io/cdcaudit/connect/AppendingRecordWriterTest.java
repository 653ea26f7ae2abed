package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class AppendingRecordWriterTest {
  @Test
  void debeziumsUpsertNoLongerOverwrites() {
    assertThat(
            AppendingRecordWriter.appending(
                "INSERT INTO audit.events (id,a) VALUES (?,?) ON CONFLICT (id) DO UPDATE SET"
                    + " a=EXCLUDED.a"))
        .isEqualTo("INSERT INTO audit.events (id,a) VALUES (?,?) ON CONFLICT (id) DO NOTHING");
  }

  @Test
  void jsonIsReadStraightIntoTheTypeOfItsColumns() {
    assertThat(
            AppendingRecordWriter.appending(
                "INSERT INTO audit.events (id,after) VALUES (?,cast(? as json)) ON CONFLICT (id)"
                    + " DO UPDATE SET after=EXCLUDED.after"))
        .isEqualTo(
            "INSERT INTO audit.events (id,after) VALUES (?,cast(? as jsonb)) ON CONFLICT (id) DO"
                + " NOTHING");
  }

  @Test
  void anotherStatementIsRefusedRatherThanRunAsItIs() {
    assertThatThrownBy(
            () -> AppendingRecordWriter.appending("INSERT INTO audit.events (id) VALUES (?)"))
        .hasMessageContaining("Debezium's upsert has another form");
  }
}
