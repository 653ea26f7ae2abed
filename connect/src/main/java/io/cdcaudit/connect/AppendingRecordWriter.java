package io.cdcaudit.connect;

import io.debezium.connector.jdbc.DefaultRecordWriter;
import io.debezium.connector.jdbc.JdbcSinkConnectorConfig;
import io.debezium.connector.jdbc.JdbcSinkRecord;
import io.debezium.connector.jdbc.QueryBinderResolver;
import io.debezium.connector.jdbc.dialect.DatabaseDialect;
import java.util.List;
import org.hibernate.StatelessSession;
import org.hibernate.jdbc.Work;

/**
 * Stores an event once: Debezium's upsert, but an event that the table holds already stays as it is. So a replay leaves
 * no dead rows, one statement may hold the same event twice, and the sink's user needs no right to change the log.
 */
final class AppendingRecordWriter extends DefaultRecordWriter {
  private static final String OVERWRITE = " DO UPDATE SET ";

  AppendingRecordWriter(StatelessSession session, JdbcSinkConnectorConfig config, DatabaseDialect dialect) {
    super(session, new QueryBinderResolver(), config, dialect);
  }

  @Override
  protected Work processBatch(List<JdbcSinkRecord> records, String upsert) {
    return super.processBatch(records, appending(upsert));
  }

  static String appending(String upsert) {
    int overwrite = upsert.indexOf(OVERWRITE);
    if (overwrite < 0) {
      throw new IllegalStateException("Debezium's upsert has another form than this sink was built for: " + upsert);
    }
    return upsert.substring(0, overwrite) + " DO NOTHING";
  }
}
