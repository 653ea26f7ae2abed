package io.cdcaudit.connect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.connect.fixture.Events;
import io.cdcaudit.connect.fixture.Repository;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.connect.data.Struct;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The sink reads a time as {@code contract/time.schema.json} says. */
class ContractTimeTest {

  private static final JsonNode TIME =
      JsonMapper.shared()
          .readTree(Repository.root().resolve("contract/time.schema.json"))
          .required("definitions");

  private final AuditEventConverter converter = new AuditEventConverter();

  @Test
  void everyExampleIsAccepted() {
    for (String form : List.of("read", "written")) {
      for (JsonNode time : TIME.required(form).required("examples")) {
        assertThat(accepts(time.asString())).as(time.asString()).isTrue();
      }
    }
  }

  /** Each character of a time is changed into each other that stands in one. */
  @Test
  void itAcceptsWhatThePatternAllows() {
    Pattern allowed = Pattern.compile(TIME.required("read").required("pattern").asString());
    for (String time : List.of("2026-12-22T10:00:00.123456789Z", "2026-12-22T12:00:00.5+02:00")) {
      for (int index = 0; index < time.length(); index++) {
        for (char character : "0123456789-+:.TZtz ".toCharArray()) {
          String changed = time.substring(0, index) + character + time.substring(index + 1);
          assertThat(accepts(changed)).as(changed).isEqualTo(allowed.matcher(changed).matches());
        }
      }
    }
  }

  private boolean accepts(String time) {
    String event =
        Events.order(1)
            .replace("\"captured_at\":\"2026-11-22T10:15:31.5Z\"", "\"captured_at\":\"" + time + "\"");
    return converter.toConnectData("audit.events", event.getBytes(UTF_8)).value()
            instanceof Struct row
        && row.getString("captured_at").equals(time);
  }
}
