package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.configuration.StartupException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.springframework.context.SmartLifecycle;

/**
 * Asks the brokers for the four topics before Streams starts, so that what is missing is said in
 * one line.
 */
final class TopicCheck implements SmartLifecycle {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final AuditProperties properties;
  private volatile boolean running;

  TopicCheck(AuditProperties properties) {
    this.properties = properties;
  }

  @Override
  public void start() {
    Map<String, Object> settings = StreamsProperties.connection(properties);
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, properties.applicationId() + "-topic-check");
    Map<String, String> settingOfTopic = new LinkedHashMap<>();
    settingOfTopic.put(properties.topics().raw(), "AUDIT_TOPICS_RAW");
    settingOfTopic.put(properties.topics().events(), "AUDIT_TOPICS_EVENTS");
    settingOfTopic.put(properties.topics().catalog(), "AUDIT_TOPICS_CATALOG");
    settingOfTopic.put(properties.topics().deadLetter(), "AUDIT_TOPICS_DEAD_LETTER");
    try (Admin admin = Admin.create(settings)) {
      Map<String, KafkaFuture<TopicDescription>> descriptions =
          admin.describeTopics(settingOfTopic.keySet()).topicNameValues();
      settingOfTopic.forEach((topic, setting) -> require(topic, setting, descriptions.get(topic)));
    }
    running = true;
  }

  private void require(String topic, String setting, KafkaFuture<TopicDescription> description) {
    try {
      description.get();
    } catch (ExecutionException failed) {
      throw new StartupException(complaint(topic, setting, failed.getCause()));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException(
          "Interrupted while asking the brokers for topic \"" + topic + "\".");
    }
  }

  private String complaint(String topic, String setting, Throwable cause) {
    if (cause instanceof UnknownTopicOrPartitionException) {
      return "Topic \"%s\" (%s) does not exist on %s. Create it, or name another topic."
          .formatted(topic, setting, properties.bootstrapServers());
    }
    if (cause instanceof TimeoutException) {
      return "No broker of %s (AUDIT_BOOTSTRAP_SERVERS) answered within %d s. Check address, port, network and AUDIT_AUTHENTICATION."
          .formatted(properties.bootstrapServers(), PATIENCE.toSeconds());
    }
    return "The brokers of %s (AUDIT_BOOTSTRAP_SERVERS) refuse to describe topic \"%s\" (%s): %s"
        .formatted(properties.bootstrapServers(), topic, setting, cause);
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
