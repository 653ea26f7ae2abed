package io.cdcaudit.connect;

import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.COLLECTION_NAME_FORMAT;
import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.CONNECTION_URL;
import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.DELETE_ENABLED;
import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.INSERT_MODE;
import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.PRIMARY_KEY_FIELDS;
import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.PRIMARY_KEY_MODE;
import static io.debezium.connector.jdbc.JdbcSinkConnectorConfig.SCHEMA_EVOLUTION;

import io.debezium.config.Configuration;
import io.debezium.connector.jdbc.JdbcSinkConnectorConfig;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;

/**
 * The sink's own settings, beside Debezium's.
 *
 * @param longestPause the longest pause between two attempts to reach the database
 * @param patience how long the database may refuse the sink before its task fails
 */
record AuditSinkConfig(Duration longestPause, Duration patience) {
  private static final String LONGEST_PAUSE = "retry.pause.max.ms";
  private static final String PATIENCE = "retry.refused.timeout.ms";

  private static final String ERRORS_TOLERANCE = "errors.tolerance";
  private static final String DEAD_LETTER_TOPIC = "errors.deadletterqueue.topic.name";

  static AuditSinkConfig of(Map<String, String> properties) {
    Map<String, Object> values = definition(new ConfigDef()).parse(properties);
    return new AuditSinkConfig(
        Duration.ofMillis((long) values.get(LONGEST_PAUSE)),
        Duration.ofMillis((long) values.get(PATIENCE)));
  }

  /** Adds the sink's own settings to Debezium's. */
  static ConfigDef definition(ConfigDef debezium) {
    return new ConfigDef(debezium)
        .define(
            LONGEST_PAUSE,
            ConfigDef.Type.LONG,
            10_000L,
            ConfigDef.Range.between(100L, 60_000L),
            ConfigDef.Importance.LOW,
            "Longest pause in milliseconds between two attempts to reach the database during an"
                + " outage.")
        .define(
            PATIENCE,
            ConfigDef.Type.LONG,
            300_000L,
            ConfigDef.Range.between(0L, 3_600_000L),
            ConfigDef.Importance.LOW,
            "How long in milliseconds the database may refuse the sink's credentials or be"
                + " read-only before the task fails. Both pass in a rotation of the secret or a"
                + " failover.");
  }

  /** Adds an error to each wrong property: what is wrong, what is allowed and why. */
  static void addErrors(Config config, Map<String, String> properties) {
    Configuration.from(properties)
        .validate(JdbcSinkConnectorConfig.ALL_FIELDS)
        .forEach(
            (property, value) ->
                value.errorMessages().forEach(message -> addError(config, property, message)));

    String whyUpsert = "an event that is delivered again must change nothing";
    require(config, properties, INSERT_MODE, "insert", "upsert", whyUpsert);
    require(config, properties, PRIMARY_KEY_MODE, "none", "record_value", whyUpsert);
    requirePrimaryKey(config, properties);
    require(config, properties, DELETE_ENABLED, "false", "false", "the audit log only grows");
    require(config, properties, SCHEMA_EVOLUTION, "none", "none", "the database owns its schema");
    requireDatabase(config, properties);
    requireDeadLetterTopic(config, properties);
  }

  static String version() {
    return Objects.requireNonNullElse(
        AuditSinkConfig.class.getPackage().getImplementationVersion(), "unpackaged");
  }

  private static void require(
      Config config,
      Map<String, String> properties,
      String property,
      String byDefault,
      String allowed,
      String why) {
    String value = properties.getOrDefault(property, byDefault);
    if (!value.equals(allowed)) {
      addError(
          config, property, "it is \"%s\"; allowed is \"%s\": %s".formatted(value, allowed, why));
    }
  }

  private static void requirePrimaryKey(Config config, Map<String, String> properties) {
    List<String> allowed = AuditEventConverter.DEFINITION.primaryKey();
    String value = properties.getOrDefault(PRIMARY_KEY_FIELDS, "");
    if (!Arrays.asList(value.split("\\s*,\\s*")).equals(allowed)) {
      addError(
          config,
          PRIMARY_KEY_FIELDS,
          "it is \"%s\"; allowed is \"%s\": the primary key of the audit table"
              .formatted(value, String.join(",", allowed)));
    }
  }

  private static void requireDatabase(Config config, Map<String, String> properties) {
    String table = properties.getOrDefault(COLLECTION_NAME_FORMAT, "${topic}");
    if (!DestinationTable.NAME.matcher(table).matches()) {
      addError(
          config,
          COLLECTION_NAME_FORMAT,
          "it is \"%s\"; allowed is a lower-case name with its schema, such as audit.events"
              .formatted(table));
    }
    String url = properties.getOrDefault(CONNECTION_URL, "");
    if (!url.startsWith("jdbc:postgresql:") && !url.startsWith("jdbc:aws-wrapper:postgresql:")) {
      addError(
          config,
          CONNECTION_URL,
          "it must begin with jdbc:postgresql: or jdbc:aws-wrapper:postgresql:, the drivers of this"
              + " plugin");
    }
  }

  private static void requireDeadLetterTopic(Config config, Map<String, String> properties) {
    boolean tolerant = "all".equals(properties.get(ERRORS_TOLERANCE));
    if (tolerant && properties.getOrDefault(DEAD_LETTER_TOPIC, "").isBlank()) {
      addError(
          config,
          DEAD_LETTER_TOPIC,
          "it is empty while errors.tolerance is \"all\", so a refused event would be lost; name a"
              + " topic, or set errors.tolerance to \"none\"");
    }
  }

  private static void addError(Config config, String property, String message) {
    ConfigValue value =
        config.configValues().stream()
            .filter(candidate -> candidate.name().equals(property))
            .findFirst()
            .orElseGet(() -> add(config, property));
    value.addErrorMessage("Invalid value of " + property + ": " + message);
  }

  private static ConfigValue add(Config config, String property) {
    ConfigValue value = new ConfigValue(property);
    config.configValues().add(value);
    return value;
  }
}
