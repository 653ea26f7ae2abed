package io.cdcaudit.transformer.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.samples.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class TableHistoryTest {

  static final TableName TABLE = new TableName("shop", "orders");

  @RepeatedTest(100)
  void historiesGrowTheSameInWhicheverOrderTheirVersionsArrive(RepetitionInfo repetition) {
    List<CatalogVersion> versions =
        new ArrayList<>(
            IntStream.range(0, 12).mapToObj(second -> version(second, "c" + second)).toList());
    versions.add(loaded("loaded"));
    TableHistory inOrder = history(versions);
    Collections.shuffle(versions, new Random(repetition.getCurrentRepetition()));
    TableHistory merged = history(versions.subList(0, 5)).with(history(versions.subList(3, 13)));
    assertThat(merged.saysTheSameAs(inOrder)).isTrue();
    assertThat(merged.versions()).hasSize(13);
    assertThat(merged.versions().get(0).since()).isNull();
  }

  @Test
  void aVersionThatRepeatsTheOneInForceAddsNone() {
    TableHistory history =
        history(List.of(version(1, "a"), version(2, "a"), version(3, "b"), version(4, "a")));
    assertThat(names(history)).containsExactly("a", "b", "a");
  }

  @Test
  void theSameSignalAgainAddsNone() {
    TableHistory once = history(List.of(version(1, "a"), version(2, "b")));
    assertThat(once.with(version(1, "a")).saysTheSameAs(once)).isTrue();
  }

  @Test
  void ofLoadedVersionsTheOneCapturedLastCounts() {
    assertThat(names(history(List.of(loaded("a"), version(5, "b"))).with(loadedAt(9, "c"))))
        .containsExactly("c", "b");
    assertThat(names(history(List.of(loadedAt(9, "c"), version(5, "b"))).with(loaded("a"))))
        .containsExactly("c", "b");
  }

  @Test
  void theOldestVersionsAreForgotten() {
    TableHistory history =
        history(IntStream.range(0, 70).mapToObj(second -> version(second, "c" + second)).toList());
    assertThat(history.versions()).hasSize(TableHistory.MOST_VERSIONS);
    assertThat(names(history)).startsWith("c20").endsWith("c69");
  }

  @Test
  void wideTablesKeepFewerVersionsSoThatAnEntryStaysBelowAMegabyte() {
    TableHistory history =
        history(IntStream.range(0, 40).mapToObj(second -> wideVersion(second, 1600)).toList());
    assertThat(history.versions()).hasSize(5);
    assertThat(CatalogJson.writeHistory(history).length).isLessThan(1 << 20);
  }

  @Test
  void aHistoryReadsAsItWasWritten() {
    TableHistory history =
        history(List.of(loaded("a \"quoted\""), version(1, "b"), version(2, "c")));
    TableHistory read = CatalogJson.readHistory(Json.read(CatalogJson.writeHistory(history)));
    assertThat(read.saysTheSameAs(history)).isTrue();
    assertThat(CatalogJson.writeHistory(read)).isEqualTo(CatalogJson.writeHistory(history));
  }

  static TableHistory history(List<CatalogVersion> versions) {
    TableHistory history = TableHistory.empty(TABLE);
    for (CatalogVersion version : versions) {
      history = history.with(version);
    }
    return history;
  }

  /** A version of one second, told from others by the name of its one column. */
  static CatalogVersion version(int second, String column) {
    Timestamp time = time(second);
    return CatalogVersion.of(
        new Commit(time, 7000 + second, 1, "p" + second), time, shape(List.of(column)));
  }

  private static CatalogVersion wideVersion(int second, int columns) {
    List<String> names =
        IntStream.range(0, columns)
            .mapToObj(number -> "a_rather_long_name_of_a_column_" + second + "_" + number)
            .toList();
    Timestamp time = time(second);
    return CatalogVersion.of(new Commit(time, 7000 + second, 1, "p" + second), time, shape(names));
  }

  private static CatalogVersion loaded(String column) {
    return loadedAt(0, column);
  }

  private static CatalogVersion loadedAt(int second, String column) {
    return CatalogVersion.of(null, time(second), shape(List.of(column)));
  }

  private static TableShape shape(List<String> columns) {
    return new TableShape(
        ReplicaIdentity.FULL,
        List.of(),
        columns.stream()
            .map(name -> new CatalogColumn(name, "timestamp with time zone", false, false))
            .toList());
  }

  private static Timestamp time(int second) {
    return Timestamp.of(Instant.parse("2026-11-22T10:00:00Z").plusSeconds(second));
  }

  private static List<String> names(TableHistory history) {
    return history.versions().stream()
        .map(version -> version.shape().columns().get(0).name())
        .toList();
  }
}
