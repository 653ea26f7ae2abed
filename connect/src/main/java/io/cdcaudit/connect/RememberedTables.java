package io.cdcaudit.connect;

import io.debezium.connector.jdbc.dialect.DatabaseDialect;
import io.debezium.connector.jdbc.relational.TableDescriptor;
import io.debezium.metadata.CollectionId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

/**
 * A dialect that looks a table up once per connection. Debezium looks it up for every delivery,
 * with some ten queries, in case it has to create or alter the table. Here the database owns its
 * tables, and a statement that no longer fits a table fails anyway.
 */
final class RememberedTables {
  private RememberedTables() {}

  static DatabaseDialect of(DatabaseDialect dialect) {
    Map<CollectionId, TableDescriptor> tables = new HashMap<>();
    return (DatabaseDialect)
        Proxy.newProxyInstance(
            RememberedTables.class.getClassLoader(),
            new Class<?>[] {DatabaseDialect.class},
            (proxy, method, arguments) -> {
              switch (method.getName()) {
                case "tableExists" -> {
                  return tables.containsKey((CollectionId) arguments[1])
                      || (boolean) call(dialect, method, arguments);
                }
                case "readTable" -> {
                  CollectionId table = (CollectionId) arguments[1];
                  TableDescriptor known = tables.get(table);
                  if (known == null) {
                    known = (TableDescriptor) call(dialect, method, arguments);
                    tables.put(table, known);
                  }
                  return known;
                }
                default -> {
                  return call(dialect, method, arguments);
                }
              }
            });
  }

  private static Object call(DatabaseDialect dialect, Method method, Object[] arguments)
      throws Throwable {
    try {
      return method.invoke(dialect, arguments);
    } catch (InvocationTargetException failed) {
      throw failed.getCause();
    }
  }
}
