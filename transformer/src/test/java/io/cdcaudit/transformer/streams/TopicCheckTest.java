package io.cdcaudit.transformer.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.anyCollection;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.cdcaudit.transformer.configuration.AuditProperties;
import io.cdcaudit.transformer.configuration.StartupException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.junit.jupiter.api.Test;

class TopicCheckTest {

  private static final Exception TOO_MANY =
      new SaslAuthenticationException("[4f2c]: Too many connects");

  private static final List<String> TOPICS =
      List.of("cdc.raw", "audit.events", "audit.catalog", "audit.dead-letter");

  private final Deque<Exception> answers = new ArrayDeque<>();
  private final List<Duration> pauses = new ArrayList<>();
  private int asked;

  private final TopicCheck check = new TopicCheck(properties(), settings -> admin(), pauses::add);

  @Test
  void tooManyConnectionsAreWaitedOutWithLongerAndLongerPauses() {
    answers.addAll(List.of(TOO_MANY, TOO_MANY, TOO_MANY));
    check.start();
    assertThat(check.isRunning()).isTrue();
    assertThat(asked).isEqualTo(4);
    assertThat(pauses).extracting(Duration::toSeconds).containsExactly(1L, 2L, 4L);
  }

  @Test
  void butNotForLongerThanBrokersMayTakeToAnswer() {
    for (int answer = 1; answer <= 100; answer++) {
      answers.add(TOO_MANY);
    }
    assertThatThrownBy(check::start)
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("refuse to describe topic \"cdc.raw\" (AUDIT_TOPICS_RAW)")
        .hasMessageContaining("Too many connects");
    assertThat(check.isRunning()).isFalse();
    assertThat(pauses.stream().reduce(Duration.ZERO, Duration::plus))
        .isEqualTo(TopicCheck.PATIENCE);
  }

  @Test
  void anyOtherRefusalIsSaidAtOnce() {
    answers.add(new SaslAuthenticationException("[4f2c]: Access denied"));
    assertThatThrownBy(check::start)
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("Access denied");
    assertThat(asked).isEqualTo(1);
    assertThat(pauses).isEmpty();
  }

  /** Fails for every topic, or knows them all once there is no answer left. */
  private Admin admin() {
    asked++;
    Exception answer = answers.poll();
    Map<String, KafkaFuture<TopicDescription>> descriptions = new HashMap<>();
    for (String topic : TOPICS) {
      KafkaFutureImpl<TopicDescription> description = new KafkaFutureImpl<>();
      if (answer == null) {
        description.complete(new TopicDescription(topic, false, List.of()));
      } else {
        description.completeExceptionally(answer);
      }
      descriptions.put(topic, description);
    }
    DescribeTopicsResult result = mock(DescribeTopicsResult.class);
    when(result.topicNameValues()).thenReturn(descriptions);
    Admin admin = mock(Admin.class);
    when(admin.describeTopics(anyCollection())).thenReturn(result);
    return admin;
  }

  private static AuditProperties properties() {
    return new AuditProperties(
        "test",
        "unused:9092",
        "test",
        AuditProperties.Authentication.NONE,
        new AuditProperties.TopicNames(TOPICS.get(0), TOPICS.get(1), TOPICS.get(2), TOPICS.get(3)),
        -1,
        1,
        2048,
        1 << 20,
        1 << 20,
        8080);
  }
}
