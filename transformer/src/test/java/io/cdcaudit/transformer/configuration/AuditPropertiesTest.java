package io.cdcaudit.transformer.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class AuditPropertiesTest {

  @Test
  void theVariablesOfTheContractAreAllThatIsNeeded() {
    AuditProperties properties = bind(environment());
    assertThat(properties)
        .isEqualTo(
            new AuditProperties(
                "orders-prod",
                "b-1:9098,b-2:9098",
                "audit-transformer",
                AuditProperties.Authentication.IAM,
                new AuditProperties.TopicNames(
                    "cdc.raw", "audit.events", "audit.catalog", "audit.dead-letter"),
                -1,
                2,
                4096,
                16777216,
                16842752,
                8080));
    assertThat(properties.lobLimit()).isEqualTo(4096 * 1024);
  }

  @Test
  void eachVariableIsRequired() {
    for (String variable : environment().keySet()) {
      Map<String, String> environment = environment();
      environment.remove(variable);
      assertThat(complaint(environment))
          .startsWith(variable + " is not set. Allowed: ")
          .contains(". To fix it, ");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "AUDIT_SOURCE_ID,' '",
    "AUDIT_BOOTSTRAP_SERVERS,localhost",
    "AUDIT_BOOTSTRAP_SERVERS,'b-1:9098,'",
    "AUDIT_APPLICATION_ID,audit transformer",
    "AUDIT_AUTHENTICATION,scram",
    "AUDIT_TOPICS_RAW,cdc/raw",
    "AUDIT_TOPICS_DEAD_LETTER,cdc.raw",
    "AUDIT_REPLICATION_FACTOR,0",
    "AUDIT_REPLICATION_FACTOR,two",
    "AUDIT_STREAM_THREADS,0",
    "AUDIT_STREAM_THREADS,1.5",
    "AUDIT_LOB_MAX_SIZE_KILOBYTES,102401",
    "AUDIT_MESSAGE_MAX_BYTES,1048575",
    "AUDIT_DEAD_LETTER_MAX_BYTES,16777215",
    "AUDIT_MANAGEMENT_PORT,65536",
    "AUDIT_MANAGEMENT_PORT,99999999999"
  })
  void aValueThatIsNotAllowedIsRefusedInOneLineThatSaysWhatIs(String variable, String value) {
    Map<String, String> environment = environment();
    environment.put(variable, value);
    assertThat(complaint(environment))
        .startsWith(variable + " is \"" + value + "\". Allowed: ")
        .contains(". To fix it, ")
        .hasLineCount(1);
  }

  @Test
  void whatIsNoFailureOfASettingIsLeftToSpringBoot() {
    assertThat(
            new StartupFailureReporter()
                .reportException(new IllegalStateException("something else")))
        .isFalse();
    assertThat(
            new StartupFailureReporter()
                .reportException(new RuntimeException(new StartupException("said"))))
        .isTrue();
  }

  private static String complaint(Map<String, String> environment) {
    Throwable[] failure = new Throwable[1];
    assertThatThrownBy(() -> bind(environment)).satisfies(thrown -> failure[0] = thrown);
    return StartupFailureReporter.line(failure[0]).orElseThrow();
  }

  /** As Spring Boot binds it, relaxed names included. */
  private static AuditProperties bind(Map<String, String> variables) {
    StandardEnvironment environment = new StandardEnvironment();
    environment
        .getPropertySources()
        .remove(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
    environment
        .getPropertySources()
        .replace(
            StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
            new SystemEnvironmentPropertySource(
                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                Map.copyOf(variables)));
    ConfigurationPropertySources.attach(environment);
    return Binder.get(environment).bindOrCreate("audit", AuditProperties.class);
  }

  private static Map<String, String> environment() {
    Map<String, String> environment = new TreeMap<>();
    environment.put("AUDIT_SOURCE_ID", "orders-prod");
    environment.put("AUDIT_BOOTSTRAP_SERVERS", "b-1:9098,b-2:9098");
    environment.put("AUDIT_APPLICATION_ID", "audit-transformer");
    environment.put("AUDIT_AUTHENTICATION", "iam");
    environment.put("AUDIT_TOPICS_RAW", "cdc.raw");
    environment.put("AUDIT_TOPICS_EVENTS", "audit.events");
    environment.put("AUDIT_TOPICS_CATALOG", "audit.catalog");
    environment.put("AUDIT_TOPICS_DEAD_LETTER", "audit.dead-letter");
    environment.put("AUDIT_REPLICATION_FACTOR", "-1");
    environment.put("AUDIT_STREAM_THREADS", "2");
    environment.put("AUDIT_LOB_MAX_SIZE_KILOBYTES", "4096");
    environment.put("AUDIT_MESSAGE_MAX_BYTES", "16777216");
    environment.put("AUDIT_DEAD_LETTER_MAX_BYTES", "16842752");
    environment.put("AUDIT_MANAGEMENT_PORT", "8080");
    return environment;
  }
}
