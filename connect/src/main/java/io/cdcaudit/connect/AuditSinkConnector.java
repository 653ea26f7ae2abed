package io.cdcaudit.connect;

import io.debezium.connector.jdbc.JdbcSinkConnector;
import java.util.Map;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;

/**
 * Debezium's JDBC sink for the audit table, with tasks that outlive database outages and isolate
 * refused rows. It takes Debezium's properties and those of {@link AuditSinkConfig}. It refuses
 * settings that would lose or double an event before a task starts.
 */
public final class AuditSinkConnector extends JdbcSinkConnector {
  @Override
  public String version() {
    return AuditSinkConfig.version();
  }

  @Override
  public Class<? extends Task> taskClass() {
    return AuditSinkTask.class;
  }

  @Override
  public ConfigDef config() {
    return AuditSinkConfig.definition(super.config());
  }

  @Override
  public Config validate(Map<String, String> properties) {
    Config config = super.validate(properties);
    AuditSinkConfig.addErrors(config, properties);
    return config;
  }
}
