package io.cdcaudit.connect;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.cdcaudit.connect.fixture.Events;
import io.cdcaudit.connect.fixture.Repository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class AuditEventConverterTest {
  /** A word in values, which must never show in an error message. */
  private static final String SECRET = "s3cret";

  private final AuditEventConverter converter = new AuditEventConverter();

  @Test
  void everyColumnHasTheSchemaByWhichDebeziumBindsIt() {
    assertThat(schema("committed_at").name()).isEqualTo("io.debezium.time.ZonedTimestamp");
    assertThat(schema("event_id").name()).isEqualTo("io.debezium.data.Uuid");
    assertThat(schema("after").name()).isEqualTo("io.debezium.data.Json");
    assertThat(schema("transaction_id").type()).isEqualTo(Schema.Type.INT64);
    assertThat(schema("sequence").type()).isEqualTo(Schema.Type.INT32);
    assertThat(schema("unknown_columns").valueSchema()).isEqualTo(Schema.STRING_SCHEMA);
    assertThat(schema("source_id").isOptional()).isFalse();
    assertThat(schema("actor").isOptional()).isTrue();
  }

  @Test
  void absentAndNullMeanTheSame() {
    String event = Events.order(1);
    assertThat(read(event)).isEqualTo(read(event.replace("\"before\":null,", "")));
    assertThat(read(event).get("before")).isNull();
  }

  @ParameterizedTest
  @MethodSource("sampleFiles")
  void everyEventOfTheContractsSamplesIsAccepted(Path sample) throws IOException {
    JsonNode events = JsonMapper.shared().readTree(Files.readString(sample)).required("events");
    for (JsonNode event : events) {
      assertThat(read(event.toString()).getString("event_id"))
          .isEqualTo(event.required("event_id").asString());
    }
  }

  static Stream<Path> sampleFiles() throws IOException {
    return Files.list(Repository.root().resolve("contract/samples"))
        .filter(file -> file.toString().endsWith(".json"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "42",
        "-1.50e+3",
        "1234567890123456789012345678901234567890.00",
        "true",
        "\"text\"",
        "\"\\u00e9 \\ud83d\\ude00 \\\\u0000 \\\"\"",
        "\"é 😀 \uFFFD\"",
        "{ \"spaced\" : [ 1 , 2 ] ,\n \"twice\": 1, \"twice\": 2 }"
      })
  void jsonIsPassedOnExactlyAsItWasWritten(String json) {
    assertThat(read(Events.event(1, json)).getString("after")).isEqualTo(json);
  }

  @Test
  void jsonMayBeAsLongAndAsDeepAsPostgreSqlTakesIt() {
    for (String json :
        List.of(
            "[".repeat(5_000) + "]".repeat(5_000),
            "9".repeat(130_000),
            "\"" + "x".repeat(5_000_000) + "\"")) {
      assertThat(read(Events.event(1, json)).getString("after")).isEqualTo(json);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-11-22T10:15:30Z",
        "2026-11-22T10:15:30.1Z",
        "2026-11-22T10:15:30.123456Z",
        "2026-11-22T10:15:30.123456789Z",
        "2026-11-22T10:15:30+05:30",
        "2024-02-29T23:59:59-12:00",
        "0001-01-01T00:00:00Z"
      })
  void timesWithTheirZoneAreAccepted(String time) {
    assertThat(read(with("captured_at", quoted(time))).getString("captured_at")).isEqualTo(time);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "s3cret",
        "2026-11-22",
        "2026-11-22T10:15:30",
        "2026-11-22 10:15:30Z",
        "2026-11-22T10:15Z",
        "2026-11-22T10:15:30.Z",
        "2026-11-22T10:15:30.1234567890Z",
        "2026-11-22T24:15:30Z",
        "2026-11-22T10:60:30Z",
        "2026-11-22T10:15:60Z",
        "0000-01-01T00:00:00Z",
        "2026-13-22T10:15:30Z",
        "2026-00-22T10:15:30Z",
        "2026-02-29T10:15:30Z",
        "2026-11-31T10:15:30Z",
        "2026-11-22T10:15:30+5:30",
        "2026-11-22T10:15:30+16:00",
        "2026-11-22T10:15:30z",
        "２026-11-22T10:15:30Z"
      })
  void whatIsNoTimeIsRefused(String time) {
    assertRefused(
        with("captured_at", quoted(time)),
        "the field \"captured_at\" is a string of "
            + time.length()
            + " characters; allowed is an ISO-8601 time");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "s3cret",
        "0e37df36f6984e6b8dd4cb9ced3df976abcd",
        "0e37df36-f698-11e6-8dd4-cb9ced3df97",
        "0e37df36-f698-11e6-8dd4-cb9ced3df97g"
      })
  void whatIsNoUuidIsRefused(String uuid) {
    assertRefused(
        with("event_id", quoted(uuid)),
        "the field \"event_id\" is a string of "
            + uuid.length()
            + " characters; allowed is a UUID");
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void whatTheTableCannotHoldIsRefusedByFieldShapeAndRuleButWithoutTheValue(
      String event, String reason) {
    assertRefused(event, reason);
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        arguments("[\"s3cret\"]", "the value is an array; allowed is a JSON object"),
        arguments("\"s3cret\"", "the value is a string of 6 characters; allowed is a JSON object"),
        arguments("null", "the value is null; allowed is a JSON object"),
        arguments("", "the value is empty; allowed is a JSON object"),
        arguments("s3cret", "the value is not JSON"),
        arguments("{\"actor\":\"s3cret", "the value is not JSON"),
        arguments("{\"after\":{\"a\":s3cret}}", "the value is not JSON"),
        arguments(Events.order(1) + "{\"s3cret\":1}", "more follows after the JSON object"),
        arguments(
            with("acter", quoted(SECRET)),
            "it has the unknown field \"acter\"; allowed are [committed_at, event_id,"),
        arguments("{\"sequence\":1,\"sequence\":2}", "it has the field \"sequence\" twice"),
        arguments(without("source_id"), "the field \"source_id\" is missing; it is required"),
        arguments(with("source_id", "null"), "the field \"source_id\" is missing; it is required"),
        arguments(
            with("operation", quoted(SECRET)),
            "the field \"operation\" is a string of 6 characters; allowed are [baseline, canary,"),
        arguments(with("actor", "17"), "the field \"actor\" is an integer; allowed is a string"),
        arguments(
            with("actor", "{\"s3cret\":1}"),
            "the field \"actor\" is an object; allowed is a string"),
        arguments(
            with("actor", quoted("s3cret\\u0000")),
            "the field \"actor\" is a string of 7 characters; allowed is a string without \\u0000"),
        arguments(
            with("actor", quoted("s3cret\\ud83d")),
            "the field \"actor\" is a string of 7 characters; allowed is a string without"),
        arguments(
            with("actor", quoted("\\ude00s3cret")),
            "the field \"actor\" is a string of 7 characters; allowed is a string without"),
        arguments(
            with("transaction_id", quoted(SECRET)),
            "the field \"transaction_id\" is a string of 6 characters; allowed is an integer"),
        arguments(
            with("transaction_id", "1.5"),
            "the field \"transaction_id\" is a number with a fraction or exponent; allowed is an"
                + " integer of at most 64 bits"),
        arguments(
            with("transaction_id", "9223372036854775808"),
            "the field \"transaction_id\" is an integer; allowed is an integer of at most 64 bits"),
        arguments(
            with("sequence", "2147483648"),
            "the field \"sequence\" is an integer; allowed is an integer of at most 32 bits"),
        arguments(
            with("sequence", "true"), "the field \"sequence\" is a boolean; allowed is an integer"),
        arguments(
            with("unknown_columns", quoted(SECRET)),
            "the field \"unknown_columns\" is a string of 6 characters; allowed is an array of"
                + " strings"),
        arguments(
            with("unknown_columns", "[\"s3cret\",null]"),
            "the field \"unknown_columns\" is an array; allowed is an array of strings"),
        arguments(
            with("unknown_columns", "[\"s3cret\",[]]"),
            "the field \"unknown_columns\" is an array; allowed is an array of strings"),
        arguments(
            with("context", "{\"s3cret\":\"\\u0000\"}"),
            "the field \"context\" is an object; allowed is JSON in UTF-8 without \\u0000"),
        arguments(
            with("context", "{\"s3cret\\\\\\u0000\":1}"),
            "the field \"context\" is an object; allowed is JSON"),
        arguments(
            with("context", "[\"s3cret\\ud83d\"]"),
            "the field \"context\" is an array; allowed is JSON"),
        arguments(
            with("context", "[\"\\ud83d\\ud83ds3cret\"]"),
            "the field \"context\" is an array; allowed is JSON"),
        arguments(
            with("context", "\"\\ude00s3cret\""),
            "the field \"context\" is a string of 7 characters; allowed is JSON"));
  }

  @Test
  void textThatIsNotUtf8IsRefusedInsteadOfBeingReplaced() {
    byte[] latin = Events.event(1, "{\"name\":\"s3cret \u00e9\"}").getBytes(ISO_8859_1);
    assertRefused(latin, "the value is not JSON");
    byte[] surrogates = Events.event(1, "{\"name\":\"s3cret ###\"}").getBytes(UTF_8);
    int hash = new String(surrogates, UTF_8).indexOf("###");
    System.arraycopy(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, 0, surrogates, hash, 3);
    assertRefused(surrogates, "the field \"after\" is an object; allowed is JSON in UTF-8");
    assertRefused(Events.order(1).getBytes(UTF_16LE), "allowed is");
  }

  @Test
  void aRecordWithoutAValueIsRefused() {
    assertRefused((byte[]) null, "the record has no value; allowed is a JSON object");
  }

  @Test
  void itConvertsNoKeysAndWritesNothing() {
    assertThatThrownBy(() -> converter.configure(Map.of(), true))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("StringConverter");
    converter.configure(Map.of(), false);
    assertThatThrownBy(() -> converter.fromConnectData("topic", AuditEventConverter.SCHEMA, null))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("does not write");
  }

  private Struct read(String event) {
    return (Struct) converter.toConnectData("audit.events", event.getBytes(UTF_8)).value();
  }

  private void assertRefused(String event, String reason) {
    assertRefused(event.getBytes(UTF_8), reason);
  }

  private void assertRefused(byte[] event, String reason) {
    assertThat(converter.toConnectData("audit.events", event).value())
        .isInstanceOfSatisfying(
            RefusedEvent.class,
            refused ->
                assertThat(refused.reason())
                    .startsWith("Audit event refused: ")
                    .contains(reason)
                    .doesNotContain(SECRET));
  }

  private static Schema schema(String column) {
    return AuditEventConverter.SCHEMA.field(column).schema();
  }

  private static String quoted(String text) {
    return "\"" + text + "\"";
  }

  /** An event with one field changed or added. */
  private static String with(String field, String json) {
    return without(field)
        .replaceFirst("\\{", Matcher.quoteReplacement("{\"%s\":%s,".formatted(field, json)));
  }

  private static String without(String field) {
    return Events.order(1)
        .replaceFirst("\"" + field + "\":(\"[^\"]*\"|\\d+|null|\\[[^\\]]*\\]),", "");
  }
}
