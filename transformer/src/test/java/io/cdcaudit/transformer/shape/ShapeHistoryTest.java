package io.cdcaudit.transformer.shape;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.Operation;
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

class ShapeHistoryTest {

  static final TableName TABLE = new TableName("shop", "orders");

  @RepeatedTest(100)
  void aHistoryIsTheSameInEveryOrderOfArrivalOfItsVersions(RepetitionInfo repetition) {
    List<ShapeVersion> versions =
        new ArrayList<>(
            IntStream.range(0, 12).mapToObj(second -> version(second, "c" + second)).toList());
    versions.add(loaded("loaded"));
    ShapeHistory inOrder = history(versions);
    Collections.shuffle(versions, new Random(repetition.getCurrentRepetition()));
    ShapeHistory merged = history(versions.subList(0, 5)).with(history(versions.subList(3, 13)));
    assertThat(merged.saysTheSameAs(inOrder)).isTrue();
    assertThat(merged.versions()).hasSize(13);
    assertThat(merged.versions().get(0).since()).isNull();
  }

  @Test
  void aVersionThatRepeatsTheOneInForceAddsNone() {
    ShapeHistory history =
        history(List.of(version(1, "a"), version(2, "a"), version(3, "b"), version(4, "a")));
    assertThat(names(history)).containsExactly("a", "b", "a");
  }

  @Test
  void theSameSignalAgainAddsNone() {
    ShapeHistory once = history(List.of(version(1, "a"), version(2, "b")));
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
  void theStreamsOrderCountsWhateverTheClockDid() {
    ShapeHistory history = history(List.of(placed(100, 9, "a"), placed(200, 5, "b")));
    assertThat(names(history)).containsExactly("a", "b");
    assertThat(names(history(List.of(placed(200, 5, "b"), placed(100, 9, "a")))))
        .containsExactly("a", "b");
    assertThat(history.versionFor(record(7), 150).shape().columns().get(0).name()).isEqualTo("a");
    assertThat(history.versionFor(record(1), 250).shape().columns().get(0).name()).isEqualTo("b");
    assertThat(history.versionFor(record(1), 50).shape().columns().get(0).name()).isEqualTo("a");
  }

  @Test
  void aRecordThatDmsSendsAgainIsReadAsItWasTheFirstTime() {
    ShapeHistory history = history(List.of(placed(100, 3, "a"), placed(200, 5, "b")));
    assertThat(history.versionFor(record(4, "p4"), 300).shape().columns().get(0).name())
        .isEqualTo("a");
    // A transaction that began before the signal's and committed after it is no repetition.
    assertThat(history.versionFor(record(6, "p4"), 300).shape().columns().get(0).name())
        .isEqualTo("b");
  }

  @Test
  void aRecordWrittenAfterDdlIsReadSoThoughItsTransactionBeganBeforeAndTheClockWasSetBack() {
    ShapeVersion second =
        ShapeVersion.of(
            null,
            200L,
            new Commit(time(5), 7005, 1, "0/0500.2.0/0510"),
            time(5),
            shape(List.of("b")));
    ShapeHistory history = history(List.of(placed(100, 3, "a"), second));
    assertThat(history.versionFor(record(4, "0/0400.9.0/0520"), 300).shape().columns().get(0).name())
        .isEqualTo("b");
    assertThat(history.versionFor(record(4, "0/0400.3.0/0420"), 300).shape().columns().get(0).name())
        .isEqualTo("a");
  }

  @Test
  void aRowUnderANameThatCameBackIsOfTheTableThatHasItNow() {
    TableShape noTable = new TableShape(ReplicaIdentity.DEFAULT, List.of(), List.of());
    ShapeVersion gone = ShapeVersion.of(null, 200L, version(2, "-").since(), time(2), noTable);
    ShapeHistory history = history(List.of(placed(100, 1, "a"), gone, placed(400, 6, "b")));
    // It began and committed before the schema got this name, as its clock says, and came after it.
    assertThat(history.versionFor(record(4, "p4"), 500).shape().columns().get(0).name())
        .isEqualTo("b");
    assertThat(history.versionFor(record(4, "p4"), 300).shape().isOfNoTable()).isTrue();
  }

  @Test
  void aSignalThatDmsSendsAgainKeepsItsFirstPlace() {
    ShapeHistory history = history(List.of(placed(100, 1, "a"), placed(200, 2, "b")));
    assertThat(history.with(placed(300, 1, "a")).saysTheSameAs(history)).isTrue();
  }

  @Test
  void anEntryOfAnEarlierVersionGetsThePlaceThatAReplayFinds() {
    ShapeHistory earlier = history(List.of(version(1, "a"), version(2, "b")));
    ShapeHistory history = earlier.with(placed(200, 2, "b"));
    assertThat(names(history)).containsExactly("a", "b");
    assertThat(history.versions().get(1).order()).isEqualTo(200);
    assertThat(history.saysTheSameAs(earlier)).isFalse();
  }

  @Test
  void whatALaterFullLoadReadsIsInForceFromThereOn() {
    ShapeHistory history =
        history(List.of(placed(100, 1, "a"), loadedInPlace(200, "b"), placed(300, 3, "c")));
    assertThat(names(history)).containsExactly("a", "b", "c");
  }

  @Test
  void ofTheSignalsThatALoadReadsNoneCountsAfterOneThatWasWrittenLater() {
    ShapeHistory history = ShapeHistory.empty(TABLE);
    history = restarted(history.with(loadedInPlace(3L, 100, "c3")));
    history = restarted(history.with(loadedInPlace(1L, 101, "c1")));
    // It says what c3 says, and is newer than the one that comes after it.
    history = restarted(history.with(loadedInPlace(5L, 102, "c3")));
    history = restarted(history.with(loadedInPlace(4L, 103, "c4")));
    assertThat(names(history)).containsExactly("c3");
    assertThat(names(history.with(loadedInPlace(6L, 200, "c6")))).containsExactly("c3", "c6");
    assertThat(names(history.with(loadedInPlace(200, "of an earlier version")))).containsExactly("c3");
  }

  @Test
  void whatALoadReadsDoesNotCountAfterANewerSignalOfTheStream() {
    ShapeHistory history = restarted(history(List.of(numbered(5, 100, 1, "c5"))));
    assertThat(names(history.with(loadedInPlace(4L, 200, "c4")))).containsExactly("c5");
    assertThat(names(history.with(loadedInPlace(6L, 200, "c6")))).containsExactly("c5", "c6");
  }

  @Test
  void signalsOfTheStreamCountInItsOrderWhateverTheirNumbers() {
    ShapeHistory history =
        history(List.of(numbered(7, 100, 1, "c7"), numbered(6, 200, 2, "c6"), placed(300, 3, "c")));
    assertThat(names(history)).containsExactly("c7", "c6", "c");
    assertThat(names(history(List.of(loadedInPlace(7L, 100, "c7"), numbered(6, 200, 2, "c6")))))
        .containsExactly("c7", "c6");
  }

  /** What another process knows that has read the catalog topic alone. */
  private static ShapeHistory restarted(ShapeHistory history) {
    return ShapeJson.readHistory(Json.read(ShapeJson.writeHistory(history)));
  }

  @Test
  void theOldestVersionsAreForgotten() {
    ShapeHistory history =
        history(IntStream.range(0, 70).mapToObj(second -> version(second, "c" + second)).toList());
    assertThat(history.versions()).hasSize(ShapeHistory.MOST_VERSIONS);
    assertThat(names(history)).startsWith("c20").endsWith("c69");
  }

  @Test
  void wideTablesKeepFewerVersionsSoThatAnEntryStaysBelowAMegabyte() {
    ShapeHistory history =
        history(IntStream.range(0, 40).mapToObj(second -> wideVersion(second, 1600)).toList());
    assertThat(history.versions()).hasSize(5);
    assertThat(ShapeJson.writeHistory(history).length).isLessThan(1 << 20);
  }

  @Test
  void aHistoryReadsAsItWasWritten() {
    ShapeHistory history =
        history(List.of(loaded("a \"quoted\""), version(1, "b"), version(2, "c")));
    ShapeHistory read = ShapeJson.readHistory(Json.read(ShapeJson.writeHistory(history)));
    assertThat(read.saysTheSameAs(history)).isTrue();
    assertThat(ShapeJson.writeHistory(read)).isEqualTo(ShapeJson.writeHistory(history));
  }

  static ShapeHistory history(List<ShapeVersion> versions) {
    ShapeHistory history = ShapeHistory.empty(TABLE);
    for (ShapeVersion version : versions) {
      history = history.with(version);
    }
    return history;
  }

  /** A version of one second. The name of its one column tells it from others. */
  static ShapeVersion version(int second, String column) {
    Timestamp time = time(second);
    return ShapeVersion.of(
        null, null, new Commit(time, 7000 + second, 1, "p" + second), time, shape(List.of(column)));
  }

  private static ShapeVersion placed(long order, int second, String column) {
    ShapeVersion version = version(second, column);
    return ShapeVersion.of(null, order, version.since(), version.capturedAt(), version.shape());
  }

  private static ShapeVersion loadedInPlace(long order, String column) {
    return loadedInPlace(null, order, column);
  }

  private static ShapeVersion loadedInPlace(Long number, long order, String column) {
    return ShapeVersion.of(number, order, null, time(0), shape(List.of(column)));
  }

  private static ShapeVersion numbered(long number, long order, int second, String column) {
    ShapeVersion version = version(second, column);
    return ShapeVersion.of(number, order, version.since(), version.capturedAt(), version.shape());
  }

  /** Of a transaction that began after those of the versions, whenever it committed. */
  private static ChangeRecord record(int second) {
    return record(second, "q");
  }

  private static ChangeRecord record(int second, String position) {
    Commit commit = new Commit(time(second), 9000 + second, 1, position);
    return new ChangeRecord(Operation.INSERT, TABLE, time(second), commit, "shop.orders.1", null, null);
  }

  private static ShapeVersion wideVersion(int second, int columns) {
    List<String> names =
        IntStream.range(0, columns)
            .mapToObj(number -> "a_rather_long_name_of_a_column_" + second + "_" + number)
            .toList();
    Timestamp time = time(second);
    return ShapeVersion.of(
        null, null, new Commit(time, 7000 + second, 1, "p" + second), time, shape(names));
  }

  private static ShapeVersion loaded(String column) {
    return loadedAt(0, column);
  }

  private static ShapeVersion loadedAt(int second, String column) {
    return ShapeVersion.of(null, null, null, time(second), shape(List.of(column)));
  }

  private static TableShape shape(List<String> columns) {
    return new TableShape(
        ReplicaIdentity.FULL,
        List.of(),
        columns.stream()
            .map(name -> new ShapeColumn(name, "timestamp with time zone", false, false))
            .toList());
  }

  private static Timestamp time(int second) {
    return Timestamp.of(Instant.parse("2026-11-22T10:00:00Z").plusSeconds(second));
  }

  private static List<String> names(ShapeHistory history) {
    return history.versions().stream()
        .map(version -> version.shape().columns().get(0).name())
        .toList();
  }
}
