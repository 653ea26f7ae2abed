package io.cdcaudit.connect;

import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Stores audit events through one database connection. After a failure of that connection the
 * writer cannot be used again.
 */
interface EventWriter extends AutoCloseable {
  /** Opens a writer with the connector's properties. */
  @FunctionalInterface
  interface Opener {
    EventWriter open(Map<String, String> properties) throws SQLException;
  }

  /**
   * Stores all records in one transaction, or throws and stores none. Storing a record again
   * changes nothing.
   */
  void write(Collection<SinkRecord> records);

  /** Closes the connection. Never throws. */
  @Override
  void close();
}
