package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.topology.OversizedEvents;
import io.cdcaudit.transformer.topology.SendFailures;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.streams.StreamsConfig;

/** Kafka's settings, where they differ from its defaults. */
final class StreamsProperties {

  private StreamsProperties() {}

  /** What every client needs to reach the brokers. */
  static Map<String, Object> connection(AuditProperties properties) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, properties.bootstrapServers());
    settings.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, false);
    if (properties.authentication() == AuditProperties.Authentication.IAM) {
      settings.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "SASL_SSL");
      settings.put(SaslConfigs.SASL_MECHANISM, "AWS_MSK_IAM");
      settings.put(
          SaslConfigs.SASL_JAAS_CONFIG, "software.amazon.msk.auth.iam.IAMLoginModule required;");
      settings.put(
          SaslConfigs.SASL_CLIENT_CALLBACK_HANDLER_CLASS,
          "software.amazon.msk.auth.iam.IAMClientCallbackHandler");
      // MSK limits how many IAM connections a second it accepts.
      settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 1_000);
    }
    return settings;
  }

  static Map<String, Object> streams(AuditProperties properties, OversizedEvents oversized) {
    Map<String, Object> settings = connection(properties);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, properties.applicationId());
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, properties.streamThreads());
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, properties.replicationFactor());
    // A crash repeats about this much work at most. The events' identity makes the repetition
    // harmless.
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
    settings.put(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG, SendFailures.class);
    settings.put(SendFailures.OVERSIZED_EVENTS, oversized);
    settings.put(SendFailures.EVENTS_TOPIC, properties.topics().events());
    consumer(properties, settings);
    producer(properties, settings);
    return settings;
  }

  private static void consumer(AuditProperties properties, Map<String, Object> settings) {
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2_000);
    settings.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
        properties.messageMaxBytes());
    // How long nobody reads a partition after a crash. Brokers accept 6 s or more.
    settings.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 10_000);
    settings.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 3_000);
  }

  private static void producer(AuditProperties properties, Map<String, Object> settings) {
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);
    settings.put(
        StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG),
        properties.deadLetterMaxBytes());
    settings.put(
        StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG),
        Math.max(64L << 20, 2L * properties.deadLetterMaxBytes()));
  }
}
