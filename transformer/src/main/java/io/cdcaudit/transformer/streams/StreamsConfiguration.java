package io.cdcaudit.transformer.streams;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.metrics.TransformerMetrics;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.topology.AuditTopology;
import io.cdcaudit.transformer.topology.OversizedEvents;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Set;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.Topology;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.KafkaStreamsConfiguration;
import org.springframework.kafka.config.KafkaStreamsInfrastructureCustomizer;
import org.springframework.kafka.config.StreamsBuilderFactoryBean;
import org.springframework.kafka.streams.KafkaStreamsMicrometerListener;

/**
 * Kafka Streams as a part of the application. It starts and stops with the application, and ends it
 * when it fails for good.
 */
@Configuration(proxyBeanMethods = false)
class StreamsConfiguration {

  /** ECS waits at least 30 s between SIGTERM and SIGKILL; this must be less. */
  private static final int CLOSE_SECONDS = 20;

  @Bean
  Clock clock() {
    return Clock.systemUTC();
  }

  @Bean
  TransformerMetrics transformerMetrics(MeterRegistry registry) {
    return new TransformerMetrics(registry);
  }

  @Bean
  TopicCheck topicCheck(AuditProperties properties) {
    return new TopicCheck(properties);
  }

  /** Ends the process in order when Streams has failed for good. */
  @Bean
  StreamsState streamsState() {
    return new StreamsState(() -> System.exit(1));
  }

  @Bean
  TopicBeginning topicBeginning(AuditProperties properties, Clock clock) {
    return new TopicBeginning(properties, clock);
  }

  @Bean
  ShapeHistories shapeHistories() {
    return new ShapeHistories();
  }

  @Bean
  UndescribedRecords undescribedRecords(
      AuditProperties properties,
      ShapeHistories histories,
      TransformerMetrics metrics,
      Clock clock) {
    return new UndescribedRecords(properties, histories, metrics, clock);
  }

  @Bean
  StreamsBuilderFactoryBean streams(
      AuditProperties properties,
      TransformerMetrics metrics,
      MeterRegistry registry,
      StreamsState state,
      Clock clock,
      ShapeHistories histories,
      TopicBeginning beginning) {
    OversizedEvents oversized = new OversizedEvents();
    StreamsBuilderFactoryBean streams =
        new StreamsBuilderFactoryBean(
            new KafkaStreamsConfiguration(StreamsProperties.streams(properties, oversized)));
    streams.setInfrastructureCustomizer(
        new KafkaStreamsInfrastructureCustomizer() {
          @Override
          public void configureTopology(Topology topology) {
            AuditTopology.build(
                topology, properties, oversized, metrics, clock, histories, beginning::base);
          }
        });
    streams.setClientSupplier(new GuardedClients(state::failed));
    streams.setStateListener(state);
    streams.setStreamsUncaughtExceptionHandler(
        new StreamsFailures(clock, properties.topics().raw(), oversized));
    streams.addListener(new KafkaStreamsMicrometerListener(registry));
    // Otherwise a successor waits until the session of this process times out.
    streams.setLeaveGroupOnClose(true);
    streams.setCloseTimeout(CLOSE_SECONDS);
    return streams;
  }

  @Bean
  ClockWatch clockWatch(StreamsState state) {
    return ClockWatch.begin(state::failed);
  }

  @Bean
  HealthIndicator streamsLiveness(StreamsState state) {
    return healthyIn(Set.of(State.RUNNING, State.REBALANCING), state);
  }

  @Bean
  HealthIndicator streamsReadiness(StreamsState state) {
    return healthyIn(Set.of(State.RUNNING), state);
  }

  private static HealthIndicator healthyIn(Set<State> healthy, StreamsState state) {
    return () -> {
      State now = state.get();
      Health.Builder health = healthy.contains(now) ? Health.up() : Health.down();
      return health.withDetail("state", now).build();
    };
  }
}
