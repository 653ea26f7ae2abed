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
  /** Of a prepared statement; null for one that is not. */
  private final String prepared;
  /** The first of a batch; null for none. */
  private String batched;

  AnnouncingStatement(AnnouncingConnection connection, Connection outside, Statement target, String text) {
    this.connection = connection;
    this.outside = outside;
    this.target = target;
    prepared = text;
  }

  @Override
  public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
    String name = method.getName();
    boolean hasText = arguments != null && arguments.length > 0 && arguments[0] instanceof String;
    if (name.startsWith("execute")) {
      String text = hasText ? (String) arguments[0] : prepared != null ? prepared : batched;
      if (name.endsWith("Batch")) batched = null;
      return connection.run(text == null ? "" : text, target, method, arguments);
    }
    switch (name) {
      case "equals":
        return self == arguments[0];
      case "hashCode":
        return System.identityHashCode(self);
      case "getConnection":
        return outside;
      case "addBatch":
        if (hasText && batched == null) batched = (String) arguments[0];
        break;
      case "clearBatch":
        batched = null;
        break;
      default:
    }
    return AnnouncingConnection.call(method, target, arguments);
  }
}
