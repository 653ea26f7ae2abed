package io.cdcaudit.transformer.configuration;

import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * All settings of the transformer, from the environment variables that
 * {@code contract/transformer-environment.ts} lists. {@link Setting} says what each may be.
 */
@ConfigurationProperties("audit")
public record AuditProperties(
    String sourceId,
    String bootstrapServers,
    String applicationId,
    Authentication authentication,
    TopicNames topics,
    Integer replicationFactor,
    Integer streamThreads,
    Integer lobMaxSizeKilobytes,
    Integer messageMaxBytes,
    Integer deadLetterMaxBytes,
    Integer managementPort) {

  /** How the transformer proves to Kafka who it is. */
  public enum Authentication {
    /** SASL_SSL with the IAM role of the task. */
    IAM,
    /** Plaintext: for one machine only. */
    NONE
  }

  public record TopicNames(String raw, String events, String catalog, String deadLetter) {}

  private static final Pattern KAFKA_NAME = Pattern.compile("[A-Za-z0-9._-]{1,249}");
  private static final Pattern SERVERS =
      Pattern.compile("[^\\s,:]+:\\d{1,5}(,[^\\s,:]+:\\d{1,5})*");

  /**
   * @throws InvalidSettingException for the first setting that is missing or not allowed
   */
  public AuditProperties {
    check(Setting.SOURCE_ID, sourceId, value -> !value.isBlank() && value.lines().count() == 1);
    check(Setting.BOOTSTRAP_SERVERS, bootstrapServers, SERVERS.asMatchPredicate());
    check(Setting.APPLICATION_ID, applicationId, KAFKA_NAME.asMatchPredicate());
    check(Setting.AUTHENTICATION, authentication, value -> true);
    TopicNames names = topics == null ? new TopicNames(null, null, null, null) : topics;
    check(Setting.RAW_TOPIC, names.raw(), KAFKA_NAME.asMatchPredicate());
    check(Setting.EVENTS_TOPIC, names.events(), KAFKA_NAME.asMatchPredicate());
    check(Setting.CATALOG_TOPIC, names.catalog(), KAFKA_NAME.asMatchPredicate());
    check(Setting.DEAD_LETTER_TOPIC, names.deadLetter(), KAFKA_NAME.asMatchPredicate());
    check(
        Setting.DEAD_LETTER_TOPIC,
        names.deadLetter(),
        value ->
            Stream.of(names.raw(), names.events(), names.catalog(), value).distinct().count() == 4);
    check(
        Setting.REPLICATION_FACTOR,
        replicationFactor,
        value -> value == -1 || (value >= 1 && value <= 15));
    check(Setting.STREAM_THREADS, streamThreads, between(1, 64));
    check(Setting.LOB_MAX_SIZE_KILOBYTES, lobMaxSizeKilobytes, between(1, 102_400));
    check(Setting.MESSAGE_MAX_BYTES, messageMaxBytes, between(1 << 20, 1 << 28));
    int least = messageMaxBytes;
    check(Setting.DEAD_LETTER_MAX_BYTES, deadLetterMaxBytes, between(least, 1 << 29));
    check(Setting.MANAGEMENT_PORT, managementPort, between(1, 65_535));
  }

  /** The length in bytes at which DMS cuts a LOB. */
  public int lobLimit() {
    return lobMaxSizeKilobytes * 1024;
  }

  private static Predicate<Integer> between(int least, int most) {
    return value -> value >= least && value <= most;
  }

  private static <T> void check(Setting setting, T value, Predicate<T> isAllowed) {
    if (value == null || !isAllowed.test(value)) {
      throw new InvalidSettingException(setting, value);
    }
  }
}
