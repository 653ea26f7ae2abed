package io.cdcaudit.transformer.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.configuration.AuditProperties.Authentication;
import io.cdcaudit.transformer.topology.OversizedEvents;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.api.Test;

class StreamsPropertiesTest {

  @Test
  void withIamEachClientSignsInOverTls() {
    Map<String, Object> connection = StreamsProperties.connection(properties(Authentication.IAM));
    assertThat(connection)
        .containsEntry("security.protocol", "SASL_SSL")
        .containsEntry("sasl.mechanism", "AWS_MSK_IAM");
    // Builds the login module and its callback handler, which are not compiled against.
    assertThatCode(() -> Admin.create(connection).close(Duration.ZERO)).doesNotThrowAnyException();
  }

  @Test
  void withoutAuthenticationTheConnectionIsPlain() {
    Map<String, Object> connection = StreamsProperties.connection(properties(Authentication.NONE));
    assertThat(connection).doesNotContainKeys("security.protocol", "sasl.mechanism");
  }

  @Test
  void theLargestMessageFitsThroughConsumerAndProducer() {
    StreamsConfig streams =
        new StreamsConfig(
            StreamsProperties.streams(properties(Authentication.NONE), new OversizedEvents()));
    assertThat(streams.getProducerConfigs("client"))
        .containsEntry("max.request.size", 33619968)
        .containsEntry("buffer.memory", 67239936L);
    assertThat(streams.getMainConsumerConfigs("group", "client", 0))
        .containsEntry("max.partition.fetch.bytes", 33554432)
        .containsEntry("auto.offset.reset", "earliest");
  }

  private static AuditProperties properties(Authentication authentication) {
    return new AuditProperties(
        "orders-prod",
        "127.0.0.1:9098",
        "audit-transformer",
        authentication,
        new AuditProperties.TopicNames(
            "cdc.raw", "audit.events", "audit.catalog", "audit.dead-letter"),
        -1,
        1,
        4096,
        33554432,
        33619968,
        8080);
  }
}
