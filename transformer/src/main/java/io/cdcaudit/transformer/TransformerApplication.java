package io.cdcaudit.transformer;

import io.cdcaudit.transformer.configuration.AuditProperties;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.web.server.ConfigurableWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;

/** Turns DMS change records into audit events. Configured by environment variables alone. */
@SpringBootApplication
@EnableConfigurationProperties(AuditProperties.class)
public class TransformerApplication {

  public static void main(String[] arguments) {
    SpringApplication.run(TransformerApplication.class);
  }

  /** Health and metrics are all that is served. */
  @Bean
  WebServerFactoryCustomizer<ConfigurableWebServerFactory> managementPort(
      AuditProperties properties) {
    return server -> server.setPort(properties.managementPort());
  }
}
