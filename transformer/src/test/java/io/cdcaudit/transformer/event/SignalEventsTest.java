package io.cdcaudit.transformer.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.postgres.JsonDepth;
import io.cdcaudit.transformer.contract.SignalContract;
import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.record.DeadLetterReason;
import io.cdcaudit.transformer.samples.Json;
import io.cdcaudit.transformer.shape.ShapeHistories;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class SignalEventsTest {

  private static final int LONGEST_BODY = SignalContract.LONGEST_BODY;
  private static final int LONGEST_PIECE = SignalContract.BODY_COLUMN_LENGTH;

  private final Transformation transformation =
      new Transformation("test", 1 << 20, new ShapeHistories());

  @ParameterizedTest
  @ValueSource(ints = {1_000, 1_001, 20_000, 31_000})
  void aNumberInAContextKeepsEveryDigit(int digits) {
    String details = "{\"x\": 1%s.05}".formatted("0".repeat(digits - 3));
    Context context = context("{\"actor\": \"alice\", \"context\": " + details + "}");
    assertThat(context.actor()).isEqualTo("alice");
    assertThat(text(context)).isEqualTo(details);
  }

  @Test
  void whatOldRowsHoldInANewColumnKeepsEveryDigit() {
    String added =
        "{\"price\":12345678901234567890.10,\"document\":{\"total\":1.50,\"large\":1%s}}"
            .formatted("0".repeat(1_500));
    assertThat(added(added)).isEqualTo(added);
  }

  @Test
  void whatOldRowsHoldIsLeftOutWhereItIsTooDeep() {
    String deep = nested(JsonDepth.DEEPEST_WRITTEN + 1);
    assertThat(added("{\"deep\":" + deep + ",\"flat\":[1]}")).isEqualTo("{\"flat\":[1]}");
    assertThat(added("{\"deep\":" + deep + "}")).isEqualTo("{}");
  }

  @Test
  void aContextAsDeepAsARowsValueMayBeStaysAsItIs() {
    String details = nested(JsonDepth.DEEPEST_WRITTEN);
    assertThat(text(context("{\"actor\": \"alice\", \"context\": " + details + "}")))
        .isEqualTo(details);
  }

  @Test
  void aDeeperContextBecomesATextAndItsActorIsStillKnown() {
    String details = nested(JsonDepth.DEEPEST_WRITTEN + 1);
    Context context =
        context(
            "{\"context\": " + details + ", \"actor\": \"alice\", \"request_id\": \"r-\\u00e9\"}");
    assertThat(context.actor()).isEqualTo("alice");
    assertThat(context.requestId()).isEqualTo("r-é");
    assertThat(Json.read(context.details()))
        .isEqualTo(Json.read("{\"capture.context\": \"" + details + "\"}"));
  }

  @Test
  void itDoesNotHideWhatPostgreSqlSaysOfTheSession() {
    String details =
        "{\"x\": %s, \"session_user\": \"clerk\", \"application_name\": \"a \\\"b\\\"\", \"client_address\": 5}"
            .formatted(nested(600));
    JsonNode shown =
        Json.read(context("{\"actor\": \"alice\", \"context\": " + details + "}").details());
    assertThat(shown.propertyNames())
        .containsExactly("capture.context", "session_user", "application_name");
    assertThat(shown.required("capture.context").stringValue()).isEqualTo(details);
    assertThat(shown.required("session_user").stringValue()).isEqualTo("clerk");
    assertThat(shown.required("application_name").stringValue()).isEqualTo("a \"b\"");
  }

  @Test
  void theDeepestBodyOverflowsNoStack() {
    String start = "{\"actor\":\"alice\",\"context\":";
    String details = nested((LONGEST_BODY - start.length() - 1) / 2);
    Context context = context(start + details + "}");
    assertThat(context.actor()).isEqualTo("alice");
    assertThat(Json.read(context.details()).required("capture.context").stringValue())
        .isEqualTo(details);

    String name = "{\"a\":";
    int depth = (LONGEST_BODY - start.length() - 2) / (name.length() + 1);
    String objects = name.repeat(depth) + "1" + "}".repeat(depth);
    assertThat(
            Json.read(context(start + objects + "}").details())
                .required("capture.context")
                .stringValue())
        .isEqualTo(objects);
  }

  @Test
  void theDeepestBodyOfAnotherKindOverflowsNoneEither() {
    String body = "{\"x\":" + nested((LONGEST_BODY - 6) / 2) + "}";
    assertThat(Json.read(audited("canary", body).details()).required("capture.context"))
        .isEqualTo(Json.read('"' + body.replace("\"", "\\\"") + '"'));
    assertThat(reason("catalog", body)).isEqualTo(DeadLetterReason.INVALID_SIGNAL);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{} {}",
        "{\"actor\": \"alice\"",
        "{\"actor\": \"alice\\x\"}",
        "{\"context\": [}",
        "{\"context\": 01}",
        "null"
      })
  void aBodyThatIsNoJsonObjectIsADeadLetter(String body) {
    for (String kind : new String[] {"context", "canary", "truncate", "catalog", "load"}) {
      assertThat(reason(kind, body)).isEqualTo(DeadLetterReason.INVALID_SIGNAL);
    }
  }

  @Test
  void bracketsThatNeverEndAreADeadLetterToo() {
    assertThat(reason("context", "{\"context\":" + "[".repeat(LONGEST_BODY - 11)))
        .isEqualTo(DeadLetterReason.INVALID_SIGNAL);
  }

  @Test
  void everyKindOfTheContractIsKnownAndNoOther() {
    for (String kind : SignalContract.KINDS) {
      if (outcome(kind, "{}") instanceof Outcome.Refused refused) {
        assertThat(refused.message()).as(kind).doesNotContain("kind is");
      }
    }
    assertThat(((Outcome.Refused) outcome("other", "{}")).message())
        .isEqualTo(
            "kind is \"other\"; known are context, session, catalog, truncate, canary, load");
  }

  private Context context(String body) {
    return audited("context", body);
  }

  private Context audited(String kind, String body) {
    return ((Outcome.Audited) outcome(kind, body)).event().context();
  }

  /** The member {@code added} of the context that DDL's event gets. */
  private String added(String added) {
    Outcome.ShapeDeclared declared =
        (Outcome.ShapeDeclared)
            outcome(
                "catalog",
                """
                {"number": 2, "relation": 1, "root": 1, "partitioned": false, "key": ["id"],\
                "replica_identity": "full", "columns": [{"number": 1, "name": "id", "type": "integer"}],\
                "reason": "ddl", "command": "ALTER TABLE", "added": %s, "rewritten": false}\
                """
                    .formatted(added));
    String details = text(declared.event().context());
    String start = ",\"added\":";
    return details.substring(
        details.indexOf(start) + start.length(), details.indexOf(",\"rewritten\""));
  }

  private DeadLetterReason reason(String kind, String body) {
    return ((Outcome.Refused) outcome(kind, body)).reason();
  }

  private Outcome outcome(String kind, String body) {
    assertThat(body.length()).isLessThanOrEqualTo(LONGEST_BODY);
    JsonOutput record = new JsonOutput();
    record.writeAscii("{\"data\":{\"schema_name\":\"shop\",\"table_name\":\"orders\",\"kind\":");
    record.writeString(kind);
    for (int piece = 0; piece * LONGEST_PIECE < body.length(); piece++) {
      int start = piece * LONGEST_PIECE;
      record.write(',').writeString("body_" + (piece + 1)).write(':');
      record.writeString(body.substring(start, Math.min(body.length(), start + LONGEST_PIECE)));
    }
    record.writeAscii(
        """
        },"metadata":{"timestamp":"2026-11-22T10:00:00Z","record-type":"data","operation":"insert",\
        "schema-name":"capture","table-name":"signal","transaction-id":1,"transaction-record-id":1,\
        "commit-timestamp":"2026-11-22T10:00:00Z","stream-position":"1"}}\
        """);
    return transformation.apply(record.toBytes(), new Origin("cdc.raw", 0, 0, null));
  }

  private static String nested(int depth) {
    return "[".repeat(depth) + "]".repeat(depth);
  }

  private static String text(Context context) {
    return new String(context.details(), StandardCharsets.UTF_8);
  }
}
