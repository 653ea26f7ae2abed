package io.cdcaudit.connect;

import io.debezium.connector.jdbc.dialect.DatabaseDialect;
import io.debezium.connector.jdbc.relational.TableDescriptor;
import io.debezium.metadata.CollectionId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * A dialect that looks a table up once per connection. Debezium looks it up for every delivery,
 * with some ten queries, and compares its columns with those of every event, in case it has to
 * create or alter the table. Here the database owns its tables, {@link DestinationTable#check} has
 * found all columns, and a statement that no longer fits a table fails anyway.
 */
final class RememberedTables {
  private RememberedTables() {}

  static DatabaseDialect of(DatabaseDialect dialect) {
    Map<CollectionId, TableDescriptor> tables = new HashMap<>();
    Map<String, CollectionId> ids = new HashMap<>();
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
                case "getCollectionId" -> {
                  String name = (String) arguments[0];
                  CollectionId known = ids.get(name);
                  if (known == null) {
                    known = (CollectionId) call(dialect, method, arguments);
                    ids.put(name, known);
                  }
                  return known;
                }
                case "resolveMissingFields" -> {
                  return Set.of();
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
