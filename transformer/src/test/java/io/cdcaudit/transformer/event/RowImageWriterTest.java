package io.cdcaudit.transformer.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.IncomingRecordReader;
import io.cdcaudit.transformer.record.Timestamp;
import io.cdcaudit.transformer.samples.Json;
import io.cdcaudit.transformer.shape.ReplicaIdentity;
import io.cdcaudit.transformer.shape.ShapeColumn;
import io.cdcaudit.transformer.shape.ShapeVersion;
import io.cdcaudit.transformer.shape.TableShape;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class RowImageWriterTest {

  private static final List<String> COLUMNS = List.of("id", "name", "paid", "amount", "body");
  private static final TableShape SHAPE =
      new TableShape(
          ReplicaIdentity.FULL,
          List.of("id"),
          List.of(
              new ShapeColumn("id", "integer", false, false),
              new ShapeColumn("name", "text", false, false),
              new ShapeColumn("paid", "boolean", false, false),
              new ShapeColumn("amount", "numeric", false, false),
              new ShapeColumn("body", "jsonb", false, false)));

  private static final TableShape IGNORING =
      new TableShape(
          ReplicaIdentity.FULL,
          List.of("id"),
          List.of(
              new ShapeColumn("id", "integer", false, false),
              new ShapeColumn("ref", "bigint", false, false),
              new ShapeColumn("secret", "bigint", false, true),
              new ShapeColumn("note", "text", false, false),
              new ShapeColumn("blob", "bytea", false, false),
              new ShapeColumn("notes", "text[]", false, false),
              new ShapeColumn("name", "character varying", false, false),
              new ShapeColumn("amount", "numeric", false, false),
              new ShapeColumn("hits", "bigint", true, false),
              new ShapeColumn("seen", "integer", true, false)));

  private static final int LOB_LIMIT = 1 << 10;

  private final RowImageWriter rows = new RowImageWriter(LOB_LIMIT);

  @RepeatedTest(300)
  void theNewRowWithTheDifferencePutBackIsTheOldRow(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    Map<String, String> oldRow = randomRow(random);
    Map<String, String> newRow = new LinkedHashMap<>(oldRow);
    randomRow(random)
        .forEach(
            (column, value) ->
                newRow.computeIfPresent(column, (name, old) -> random.nextBoolean() ? old : value));

    RowImages images = update(newRow, oldRow);

    ObjectNode restored = (ObjectNode) Json.read(images.after());
    JsonNode difference = Json.read(images.before());
    difference.properties().forEach(member -> restored.set(member.getKey(), member.getValue()));
    assertThat(restored).isEqualTo(Json.read(insert(oldRow).after()));
    assertThat(difference.propertyNames())
        .containsExactlyElementsOf(
            COLUMNS.stream()
                .filter(column -> !oldRow.get(column).equals(newRow.get(column)))
                .toList());
    assertThat(images.unknownColumns()).isEmpty();
    assertThat(images.untypedColumns()).isEmpty();
  }

  @RepeatedTest(300)
  void aValueThatIsMissingIsNamedAndNeverShown(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    Map<String, String> oldRow = randomRow(random);
    Map<String, String> newRow = randomRow(random);
    Set<String> oldNames = removeSome(oldRow, random);
    Set<String> newNames = removeSome(newRow, random);

    RowImages images = update(newRow, oldRow);

    assertThat(Json.read(images.after()).propertyNames())
        .containsExactlyElementsOf(
            COLUMNS.stream()
                .filter(column -> newNames.contains(column) || oldNames.contains(column))
                .toList());
    assertThat(images.unknownColumns())
        .containsExactlyElementsOf(
            COLUMNS.stream().filter(column -> !oldNames.contains(column)).toList());
  }

  @Test
  void theOrderOfTheRecordDoesNotMatter() {
    Map<String, String> row = randomRow(new Random(1));
    Map<String, String> reversed = new LinkedHashMap<>();
    List<String> names = new ArrayList<>(COLUMNS);
    Collections.reverse(names);
    names.forEach(name -> reversed.put(name, row.get(name)));
    assertThat(insert(reversed).after()).isEqualTo(insert(row).after());
  }

  @ParameterizedTest
  @CsvSource({
    "ref, 1.234567890123457e18",
    "ref, 1e17",
    "secret, 1.234567890123457e18",
    "note, CUT",
    "blob, CUT_BYTES",
    "notes, CUT"
  })
  void aValueThatDmsDidNotCarryWholeMayHaveChangedBesideAnIgnoredColumn(
      String column, String value) {
    RowImages images = updateBesideIgnored(column, cut(value));
    assertThat(images.unknownColumns()).containsExactly(column);
    assertThat(Json.read(images.before())).isEqualTo(Json.read("{\"seen\": 1}"));
  }

  @ParameterizedTest
  @CsvSource({
    "ref, 123456789012345678",
    "ref, 1.23456789012345678e17",
    "ref, 0e5",
    "ref, null",
    "ref, true",
    "secret, 1.5e1",
    "secret, null",
    "note, null",
    "note, '\"short\"'",
    "name, CUT",
    "amount, 1.5e18",
    "hits, 1.234567890123457e18"
  })
  void oneThatItDidCarryWholeDidNot(String column, String value) {
    assertThat(updateBesideIgnored(column, cut(value))).isNull();
  }

  @Test
  void whatWasLeftOutOfTheNewRowDidNotChangeHoweverMuchOfTheOldOneThereIs() {
    Map<String, String> oldRow = ignoringRow("note", cut("CUT"));
    Map<String, String> newRow = ignoringRow("seen", "2");
    newRow.remove("note");
    assertThat(update(IGNORING, newRow, oldRow)).isNull();
  }

  @Test
  void aRedactedValueThatMayHaveChangedIsNamedWithoutAnIgnoredColumnToo() {
    Map<String, String> row = ignoringRow("secret", "1.234567890123457e18");
    RowImages images = update(IGNORING, row, row);
    assertThat(Json.read(images.before())).isEqualTo(Json.read("{}"));
    assertThat(Json.read(images.after()).required("secret").stringValue()).isEqualTo("[redacted]");
    assertThat(images.unknownColumns()).containsExactly("secret");

    Map<String, String> changed = ignoringRow("secret", "1.234567890123458e18");
    RowImages difference = update(IGNORING, changed, row);
    assertThat(Json.read(difference.before())).isEqualTo(Json.read("{\"secret\": \"[redacted]\"}"));
    assertThat(difference.unknownColumns()).isEmpty();
  }

  private RowImages updateBesideIgnored(String column, String value) {
    Map<String, String> oldRow = ignoringRow(column, value);
    Map<String, String> newRow = new LinkedHashMap<>(oldRow);
    newRow.put("seen", "2");
    return update(IGNORING, newRow, oldRow);
  }

  /** Null in all columns but a few. */
  private static Map<String, String> ignoringRow(String column, String value) {
    Map<String, String> row = new LinkedHashMap<>();
    IGNORING.columns().forEach(known -> row.put(known.name(), "null"));
    row.put("id", "1");
    row.put("seen", "1");
    row.put(column, value);
    return row;
  }

  private static String cut(String value) {
    return switch (value) {
      case "CUT" -> '"' + "x".repeat(LOB_LIMIT / 2) + '"';
      case "CUT_BYTES" -> '"' + "ab".repeat(LOB_LIMIT) + '"';
      default -> value;
    };
  }

  private RowImages insert(Map<String, String> row) {
    return images(SHAPE, "insert", "\"data\":" + json(row));
  }

  private RowImages update(Map<String, String> newRow, Map<String, String> oldRow) {
    return update(SHAPE, newRow, oldRow);
  }

  private RowImages update(
      TableShape shape, Map<String, String> newRow, Map<String, String> oldRow) {
    return images(
        shape, "update", "\"before-image\":" + json(oldRow) + ",\"data\":" + json(newRow));
  }

  private RowImages images(TableShape shape, String operation, String images) {
    String record =
        """
        {%s,"metadata":{"timestamp":"2026-11-22T10:00:00Z","record-type":"data","operation":"%s","schema-name":"shop",
        "table-name":"orders","transaction-id":1,"transaction-record-id":1,"commit-timestamp":"2026-11-22T10:00:00Z",
        "stream-position":"1"}}\
        """
            .formatted(images, operation);
    ChangeRecord change =
        (ChangeRecord) new IncomingRecordReader().read(record.getBytes(StandardCharsets.UTF_8));
    return rows.images(
        change, ShapeVersion.of(null, null, null, Timestamp.parse("2026-11-22T10:00:00Z"), shape).columns());
  }

  private static Map<String, String> randomRow(Random random) {
    Map<String, String> row = new LinkedHashMap<>();
    row.put("id", String.valueOf(random.nextInt(3)));
    row.put("name", pick(random, "null", "\"\"", "\"Ada\"", "\"a \\\"quoted\\\" name\""));
    row.put("paid", pick(random, "null", "\"t\"", "\"f\""));
    row.put("amount", pick(random, "null", "0", "12.30", "-5", "\"NaN\""));
    row.put(
        "body",
        pick(random, "null", "\"{}\"", "\"{\\\"a\\\": [1, 2]}\"", "\"null\"", "\"\\\"text\\\"\""));
    return row;
  }

  private static String pick(Random random, String... values) {
    return values[random.nextInt(values.length)];
  }

  /** Removes some columns and says which are left. */
  private static Set<String> removeSome(Map<String, String> row, Random random) {
    row.keySet().removeIf(column -> !column.equals("id") && random.nextInt(3) == 0);
    return row.keySet();
  }

  private static String json(Map<String, String> row) {
    return "{"
        + String.join(
            ",",
            row.entrySet().stream()
                .map(member -> "\"" + member.getKey() + "\":" + member.getValue())
                .toList())
        + "}";
  }
}
