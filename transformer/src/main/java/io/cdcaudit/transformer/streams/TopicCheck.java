package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.configuration.StartupException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Asks the brokers for the four topics before Streams starts, so that one line says what is
 * missing.
 */
final class TopicCheck implements SmartLifecycle {

  /** How long to wait for an answer, and in sum for brokers that have too many connections. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(TopicCheck.class);

  private final AuditProperties properties;
  private final Function<Map<String, Object>, Admin> admins;
  private final Sleeper sleeper;
  private volatile boolean running;

  TopicCheck(AuditProperties properties) {
    this(properties, Admin::create, Sleeper.SYSTEM);
  }

  TopicCheck(
      AuditProperties properties, Function<Map<String, Object>, Admin> admins, Sleeper sleeper) {
    this.properties = properties;
    this.admins = admins;
    this.sleeper = sleeper;
  }

  @Override
  public void start() {
    Duration left = PATIENCE;
    Duration next = FIRST_PAUSE;
    Refusal refusal = ask();
    while (refusal != null && TooManyConnects.caused(refusal.cause()) && !left.isZero()) {
      Duration now = next.compareTo(left) < 0 ? next : left;
      LOG.warn(
          "The brokers had too many connections at once; they are asked again in {} s",
          now.toSeconds());
      waitFor(now);
      left = left.minus(now);
      next = next.multipliedBy(2);
      refusal = ask();
    }
    if (refusal != null) {
      throw new StartupException(complaint(refusal));
    }
    running = true;
  }

  private record Refusal(String topic, String setting, Throwable cause) {}

  /** The first topic that the brokers do not describe; null if they describe all. */
  private Refusal ask() {
    Map<String, Object> settings = StreamsProperties.connection(properties);
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, properties.applicationId() + "-topic-check");
    Map<String, String> settingOfTopic = new LinkedHashMap<>();
    settingOfTopic.put(properties.topics().raw(), "AUDIT_TOPICS_RAW");
    settingOfTopic.put(properties.topics().events(), "AUDIT_TOPICS_EVENTS");
    settingOfTopic.put(properties.topics().catalog(), "AUDIT_TOPICS_CATALOG");
    settingOfTopic.put(properties.topics().deadLetter(), "AUDIT_TOPICS_DEAD_LETTER");
    try (Admin admin = admins.apply(settings)) {
      Map<String, KafkaFuture<TopicDescription>> descriptions =
          admin.describeTopics(settingOfTopic.keySet()).topicNameValues();
      for (Map.Entry<String, String> topic : settingOfTopic.entrySet()) {
        Throwable failure = failure(topic.getKey(), descriptions.get(topic.getKey()));
        if (failure != null) {
          return new Refusal(topic.getKey(), topic.getValue(), failure);
        }
      }
      return null;
    }
  }

  private static Throwable failure(String topic, KafkaFuture<TopicDescription> description) {
    try {
      description.get();
      return null;
    } catch (ExecutionException failed) {
      return failed.getCause();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException(
          "Interrupted while asking the brokers for topic \"" + topic + "\".");
    }
  }

  private void waitFor(Duration duration) {
    try {
      sleeper.sleep(duration);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException("Interrupted while the brokers had too many connections.");
    }
  }

  private String complaint(Refusal refusal) {
    if (refusal.cause() instanceof UnknownTopicOrPartitionException) {
      return "Topic \"%s\" (%s) does not exist on %s. Create it, or name another topic."
          .formatted(refusal.topic(), refusal.setting(), properties.bootstrapServers());
    }
    if (refusal.cause() instanceof TimeoutException) {
      return "No broker of %s (AUDIT_BOOTSTRAP_SERVERS) answered within %d s. Check address, port, network and AUDIT_AUTHENTICATION."
          .formatted(properties.bootstrapServers(), PATIENCE.toSeconds());
    }
    return "The brokers of %s (AUDIT_BOOTSTRAP_SERVERS) refuse to describe topic \"%s\" (%s): %s"
        .formatted(
            properties.bootstrapServers(), refusal.topic(), refusal.setting(), refusal.cause());
  }

  @Override
  public void stop() {
    running = false;
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Before everything else that starts. */
  @Override
  public int getPhase() {
    return 0;
  }
}
