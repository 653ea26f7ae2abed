package io.cdcaudit.connect;

import io.debezium.connector.jdbc.DefaultRecordWriter;
import io.debezium.connector.jdbc.JdbcSinkConnectorConfig;
import io.debezium.connector.jdbc.JdbcSinkRecord;
import io.debezium.connector.jdbc.QueryBinder;
import io.debezium.connector.jdbc.QueryBinderResolver;
import io.debezium.connector.jdbc.dialect.DatabaseDialect;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.hibernate.StatelessSession;
import org.hibernate.jdbc.Work;

/**
 * Stores an event once. It is Debezium's upsert, but an event that is in the table stays as it is.
 * So a replay leaves no dead rows, one statement may hold the same event twice, and the sink's user
 * needs no right to change the log.
 */
final class AppendingRecordWriter extends DefaultRecordWriter {
  private static final String OVERWRITE = " DO UPDATE SET ";

  private static final Map<String, ColumnType> TYPES =
      AuditEventConverter.DEFINITION.columns().stream()
          .collect(
              Collectors.toMap(
                  AuditEventDefinition.Column::name, AuditEventDefinition.Column::type));

  /** A column of the statement, in the order of its parameters. */
  private record Parameter(Field column, ColumnType type) {}

  private Schema boundSchema;
  private List<Parameter> boundParameters;

  AppendingRecordWriter(
      StatelessSession session, JdbcSinkConnectorConfig config, DatabaseDialect dialect) {
    super(session, new QueryBinderResolver(), config, dialect);
  }

  @Override
  protected Work processBatch(List<JdbcSinkRecord> events, String upsert) {
    return super.processBatch(events, appending(upsert));
  }

  static String appending(String upsert) {
    int overwrite = upsert.indexOf(OVERWRITE);
    if (overwrite < 0) {
      throw new IllegalStateException(
          "Debezium's upsert has another form than this sink was built for: " + upsert);
    }
    // Cast to json, PostgreSQL would parse each document twice: to check it, and for the column's
    // jsonb.
    return upsert.substring(0, overwrite).replace("cast(? as json)", "cast(? as jsonb)")
        + " DO NOTHING";
  }

  /**
   * Binds by the contract's types. Debezium would work out the names and the types of every event's
   * values again, at twice the cost.
   */
  @Override
  protected void bindValues(JdbcSinkRecord event, QueryBinder parameters) {
    Struct values = event.getPayload();
    if (values.schema() != boundSchema) {
      boundSchema = values.schema();
      boundParameters =
          Stream.concat(event.keyFieldNames().stream(), event.nonKeyFieldNames().stream())
              .map(name -> new Parameter(boundSchema.field(name), TYPES.get(name)))
              .toList();
    }
    int index = 1;
    for (Parameter parameter : boundParameters) {
      parameters.bind(parameter.type.parameter(index++, values.get(parameter.column)));
    }
  }
}
