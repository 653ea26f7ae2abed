package io.cdcaudit.actors;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.Statement;

/** Lets its connection announce who acts before it runs. */
final class AnnouncingStatement implements InvocationHandler {
  private final AnnouncingConnection connection;
  private final Connection outside;
  private final Statement target;
  /** Of a prepared statement, else of a batch's first; null before that. */
  private String text;

  AnnouncingStatement(AnnouncingConnection connection, Connection outside, Statement target, String text) {
    this.connection = connection;
    this.outside = outside;
    this.target = target;
    this.text = text;
  }

  @Override
  public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
    String name = method.getName();
    boolean hasText = arguments != null && arguments.length > 0 && arguments[0] instanceof String;
    if (name.startsWith("execute")) {
      String statement = hasText ? (String) arguments[0] : text;
      return connection.run(statement == null ? "" : statement, target, method, arguments);
    }
    switch (name) {
      case "equals":
        return self == arguments[0];
      case "hashCode":
        return System.identityHashCode(self);
      case "getConnection":
        return outside;
      case "addBatch":
        if (hasText && text == null) text = (String) arguments[0];
        break;
      default:
    }
    return AnnouncingConnection.call(method, target, arguments);
  }
}
