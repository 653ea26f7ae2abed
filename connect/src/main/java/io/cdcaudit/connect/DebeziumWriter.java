package io.cdcaudit.connect;

import io.debezium.connector.jdbc.JdbcChangeEventSink;
import io.debezium.connector.jdbc.JdbcSinkConnectorConfig;
import io.debezium.connector.jdbc.dialect.DatabaseDialect;
import io.debezium.connector.jdbc.dialect.DatabaseDialectResolver;
import io.debezium.openlineage.ConnectorContext;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.hibernate.SessionFactory;
import org.hibernate.StatelessSession;
import org.hibernate.boot.registry.StandardServiceRegistry;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
import org.hibernate.cfg.AvailableSettings;
import org.hibernate.cfg.Configuration;
import org.hibernate.exception.JDBCConnectionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Debezium's JDBC sink over one connection that is opened here, so that a failure to connect
 * arrives as the driver's own exception. Debezium's task is not used. It reports a failure only at
 * the next delivery, logs the stack trace of a whole batch each time, and leaks its connection pool
 * when it cannot start.
 */
final class DebeziumWriter implements EventWriter {
  private static final Logger log = LoggerFactory.getLogger(DebeziumWriter.class);

  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Connection connection;
  private final DestinationTable table;
  private JdbcChangeEventSink sink;

  private DebeziumWriter(Connection connection, DestinationTable table) {
    this.connection = connection;
    this.table = table;
    resources.push(connection);
  }

  /**
   * Connects, checks that the table can take audit events, and prepares Debezium's sink.
   *
   * @throws SQLException when the database cannot be reached or refuses the user
   * @throws org.apache.kafka.connect.errors.ConnectException when the table is missing or not as
   *     the sink needs it
   */
  static EventWriter open(Map<String, String> properties) throws SQLException {
    Connection connection =
        DriverManager.getConnection(
            properties.get(JdbcSinkConnectorConfig.CONNECTION_URL),
            properties.get(JdbcSinkConnectorConfig.CONNECTION_USER),
            properties.get(JdbcSinkConnectorConfig.CONNECTION_PASSWORD));
    DestinationTable table =
        DestinationTable.named(properties.get(JdbcSinkConnectorConfig.COLLECTION_NAME_FORMAT));
    DebeziumWriter writer = new DebeziumWriter(connection, table);
    try {
      pinSession(connection);
      table.check(connection);
      writer.prepare(properties);
      return writer;
    } catch (SQLException error) {
      writer.close();
      throw error;
    } catch (RuntimeException error) {
      RuntimeException explained = writer.explained(error);
      writer.close();
      throw explained;
    }
  }

  /**
   * Server, database and role may be set otherwise. The driver itself pins DateStyle, TimeZone and
   * extra_float_digits. Not by a startup option: proxies refuse those.
   */
  private static void pinSession(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';"
              + " SET search_path = pg_catalog, pg_temp");
    }
  }

  @Override
  public void write(Collection<SinkRecord> records) {
    try {
      sink.execute(records);
    } catch (RuntimeException error) {
      throw explained(error);
    }
  }

  @Override
  public void close() {
    while (!resources.isEmpty()) {
      try {
        resources.pop().close();
      } catch (Exception error) {
        log.debug("Closing after a lost connection", error);
      }
    }
  }

  /**
   * Replaces an exception that does not say what is wrong by what a check of the connection and of
   * the table says.
   */
  private RuntimeException explained(RuntimeException error) {
    if (Failure.of(error).kind() != Failure.Kind.FATAL) {
      return error;
    }
    try {
      if (connection.isValid(5)) {
        table.check(connection);
        return error;
      }
    } catch (SQLException lost) {
      error.addSuppressed(lost);
    } catch (ConnectException unusableTable) {
      unusableTable.initCause(error);
      return unusableTable;
    }
    return new JDBCConnectionException(
        "The connection was lost", new SQLException("The connection was lost", "08003", error));
  }

  private void prepare(Map<String, String> properties) {
    Map<String, String> debeziumProperties = new HashMap<>(properties);
    // The task retries with a new connection. Debezium would first retry with the broken one.
    debeziumProperties.put(JdbcSinkConnectorConfig.FLUSH_MAX_RETRIES, "0");
    JdbcSinkConnectorConfig config = new JdbcSinkConnectorConfig(debeziumProperties);
    SessionFactory sessions = sessionFactory(config);
    resources.push(sessions);
    StatelessSession session = sessions.openStatelessSession();
    resources.push(session);
    DatabaseDialect dialect =
        RememberedTables.of(DatabaseDialectResolver.resolve(config, sessions));
    AppendingRecordWriter recordWriter = new AppendingRecordWriter(session, config, dialect);
    sink =
        new JdbcChangeEventSink(config, session, dialect, recordWriter, lineageContext(properties));
  }

  private SessionFactory sessionFactory(JdbcSinkConnectorConfig config) {
    Configuration hibernate = config.getHibernateConfiguration();
    hibernate
        .getProperties()
        .put(AvailableSettings.CONNECTION_PROVIDER, new SingleConnectionProvider(connection));
    // The task logs once what is wrong. Hibernate would log it for each statement.
    hibernate.setProperty(AvailableSettings.LOG_JDBC_ERRORS, false);
    StandardServiceRegistry services =
        hibernate
            .getStandardServiceRegistryBuilder()
            .applySettings(hibernate.getProperties())
            .build();
    resources.push(() -> StandardServiceRegistryBuilder.destroy(services));
    return hibernate.buildSessionFactory(services);
  }

  /** Debezium asks for one with every batch, but uses it only if OpenLineage is switched on. */
  private static ConnectorContext lineageContext(Map<String, String> properties) {
    return new ConnectorContext(
        properties.get("name"),
        "jdbc",
        properties.getOrDefault("task.id", "0"),
        AuditSinkConfig.version(),
        UUID.randomUUID(),
        properties);
  }
}
