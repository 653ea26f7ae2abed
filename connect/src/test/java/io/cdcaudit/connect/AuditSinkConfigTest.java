package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AuditSinkConfigTest {
  private final Map<String, String> properties =
      new HashMap<>(
          Map.of(
              "connection.url",
                  "jdbc:aws-wrapper:postgresql://localhost/audit?reWriteBatchedInserts=true",
              "connection.username", "from-secret",
              "collection.name.format", "audit.events",
              "insert.mode", "upsert",
              "primary.key.mode", "record_value",
              "primary.key.fields", "committed_at,event_id",
              "errors.tolerance", "all",
              "errors.deadletterqueue.topic.name", "audit.dead-letter"));

  @Test
  void goodPropertiesHaveNoErrors() {
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "insert.mode | insert | it is \"insert\"; allowed is \"upsert\": an event that is delivered"
            + " again must change nothing",
        "primary.key.mode | none | allowed is \"record_value\"",
        "primary.key.fields | event_id | it is \"event_id\"; allowed is \"committed_at,event_id\":"
            + " the primary key of the audit table",
        "delete.enabled | true | allowed is \"false\": the audit log only grows",
        "schema.evolution | basic | allowed is \"none\": the database owns its schema",
        "collection.name.format | ${topic} | it is \"${topic}\"; allowed is a lower-case name with"
            + " its schema",
        "connection.url | jdbc:mysql://localhost | it must begin with jdbc:postgresql: or"
            + " jdbc:aws-wrapper:postgresql:",
        "connection.url | | it must begin with",
        "errors.deadletterqueue.topic.name | | a refused event would be lost; name a topic",
        "retry.pause.max.ms | 5 | Value must be at least 100",
        "retry.refused.timeout.ms | soon | Not a number of type LONG",
        "batch.size | many | Not a number of type INT"
      })
  void aWrongPropertyIsNamedWithWhatIsAllowed(String property, String value, String message) {
    properties.put(property, value == null ? "" : value);
    assertThat(errors()).hasSize(1).containsKey(property);
    assertThat(String.join("\n", errors().get(property))).contains(property).contains(message);
  }

  @Test
  void withoutToleranceNoDeadLetterTopicIsNeeded() {
    properties.put("errors.tolerance", "none");
    properties.remove("errors.deadletterqueue.topic.name");
    assertThat(errors()).isEmpty();
  }

  @Test
  void itsOwnSettingsHaveDefaults() {
    AuditSinkConfig config = AuditSinkConfig.of(properties);
    assertThat(config.longestPause()).hasSeconds(10);
    assertThat(config.patience()).hasMinutes(5);
  }

  private Map<String, List<String>> errors() {
    return new AuditSinkConnector()
        .validate(properties).configValues().stream()
            .filter(value -> !value.errorMessages().isEmpty())
            .collect(Collectors.toMap(ConfigValue::name, ConfigValue::errorMessages));
  }
}
