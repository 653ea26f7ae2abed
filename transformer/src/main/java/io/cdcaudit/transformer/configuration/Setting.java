package io.cdcaudit.transformer.configuration;

import java.util.Arrays;
import java.util.Optional;

/**
 * The settings as the person who sets them knows them: the environment variable, what is allowed
 * and what to do.
 */
enum Setting {
  SOURCE_ID(
      "AUDIT_SOURCE_ID",
      "a line of text",
      "name the pipeline and its database, such as orders-prod"),
  BOOTSTRAP_SERVERS(
      "AUDIT_BOOTSTRAP_SERVERS",
      "host:port, or several divided by commas",
      "give the cluster's bootstrap brokers"),
  APPLICATION_ID(
      "AUDIT_APPLICATION_ID",
      "1 to 249 of A-Z a-z 0-9 . _ -",
      "name the consumer group; a new name reads the change records from the start"),
  AUTHENTICATION(
      "AUDIT_AUTHENTICATION", "iam or none", "take iam on AWS, none for a broker on this machine"),
  RAW_TOPIC("AUDIT_TOPICS_RAW", "a topic name", "name the topic that DMS writes to"),
  EVENTS_TOPIC("AUDIT_TOPICS_EVENTS", "a topic name", "name the topic that the sink reads"),
  CATALOG_TOPIC("AUDIT_TOPICS_CATALOG", "a topic name", "name the compacted topic of the catalog"),
  DEAD_LETTER_TOPIC(
      "AUDIT_TOPICS_DEAD_LETTER",
      "a topic name, unlike that of the other three topics",
      "name the topic for refused records"),
  REPLICATION_FACTOR(
      "AUDIT_REPLICATION_FACTOR", "-1, or 1 to 15", "take -1 for the broker's default"),
  STREAM_THREADS(
      "AUDIT_STREAM_THREADS", "1 to 64", "take 1, and at most the partitions of the raw topic"),
  LOB_MAX_SIZE_KILOBYTES(
      "AUDIT_LOB_MAX_SIZE_KILOBYTES", "1 to 102400", "take the LobMaxSize of the DMS task"),
  MESSAGE_MAX_BYTES(
      "AUDIT_MESSAGE_MAX_BYTES",
      "1048576 to 268435456",
      "take the max.message.bytes of the topics"),
  DEAD_LETTER_MAX_BYTES(
      "AUDIT_DEAD_LETTER_MAX_BYTES",
      "AUDIT_MESSAGE_MAX_BYTES to 536870912",
      "take the max.message.bytes of the dead-letter topic"),
  MANAGEMENT_PORT(
      "AUDIT_MANAGEMENT_PORT",
      "1 to 65535",
      "take a free port for health and metrics, such as 8080");

  private final String variable;
  private final String allowed;
  private final String fix;

  Setting(String variable, String allowed, String fix) {
    this.variable = variable;
    this.allowed = allowed;
    this.fix = fix;
  }

  /** The setting that Spring calls by a property name such as {@code audit.source-id}. */
  static Optional<Setting> ofProperty(String property) {
    String variable = property.replace('.', '_').replace('-', '_').toUpperCase();
    return Arrays.stream(values()).filter(setting -> setting.variable.equals(variable)).findFirst();
  }

  /** One line that says what is wrong and what to do. */
  String complaint(Object value) {
    String state =
        value == null || value.toString().isEmpty() ? "is not set" : "is \"" + value + "\"";
    return "%s %s. Allowed: %s. To fix it, %s.".formatted(variable, state, allowed, fix);
  }
}
