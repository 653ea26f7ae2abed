package io.cdcaudit.actors;

import io.cdcaudit.actors.Act.Words;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/** Knows what the transaction of a connection has been told, and tells it before a statement that needs it. */
final class AnnouncingConnection implements InvocationHandler {
  private static final String ANNOUNCE = "SELECT capture.announce(?, ?, ?::jsonb)";

  private final Connection target;
  private Words told;
  /** A transaction that a statement's text began, in autocommit. */
  private boolean begunByText;

  private AnnouncingConnection(Connection target) {
    this.target = target;
  }

  static Connection around(Connection target) {
    return proxy(Connection.class, new AnnouncingConnection(target));
  }

  static boolean is(Connection connection) {
    return Proxy.isProxyClass(connection.getClass()) && Proxy.getInvocationHandler(connection) instanceof AnnouncingConnection;
  }

  @Override
  public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
    switch (method.getName()) {
      case "equals":
        return self == arguments[0];
      case "hashCode":
        return System.identityHashCode(self);
      case "createStatement", "prepareStatement", "prepareCall":
        return statement((Connection) self, method, arguments);
      case "setSavepoint":
        // Its rollback would take back a name that is said behind it.
        if (!target.getAutoCommit()) announceNews("SAVEPOINT");
        break;
      case "commit", "rollback", "setAutoCommit", "close":
        told = null;
        break;
      default:
    }
    return call(method, target, arguments);
  }

  private Object statement(Connection self, Method method, Object[] arguments) throws Throwable {
    Object made = call(method, target, arguments);
    String text = method.getName().startsWith("prepare") ? (String) arguments[0] : null;
    Class<?> type = method.getReturnType();
    InvocationHandler handler = new AnnouncingStatement(this, self, (Statement) made, text);
    if (type == CallableStatement.class) return proxy(CallableStatement.class, handler);
    return type == PreparedStatement.class ? proxy(PreparedStatement.class, handler) : proxy(Statement.class, handler);
  }

  /** Runs a statement, with what it needs before it. */
  Object run(String text, Statement statement, Method method, Object[] arguments) throws Throwable {
    if (Statements.undoesName(text) || Statements.ends(text)) told = null;
    boolean isBare = target.getAutoCommit() && !begunByText;
    if (isBare && Statements.changesRows(text) && !target.isReadOnly()) {
      Words words = Acting.words();
      if (words != null) return runAlone(words, statement, method, arguments);
    }
    if (!isBare) announceNews(text);
    Object result = call(method, statement, arguments);
    begunByText = Statements.begins(text) || begunByText && !Statements.ends(text);
    return result;
  }

  private void announceNews(String text) throws SQLException {
    if (!Statements.wantsName(text) || target.isReadOnly()) return;
    Words words = Acting.words();
    if (words == null || words.equals(told)) return;
    announce(words);
    told = words;
  }

  private void announce(Words words) throws SQLException {
    try (PreparedStatement announcement = target.prepareStatement(ANNOUNCE)) {
      announcement.setString(1, words.actor());
      announcement.setString(2, words.requestId());
      announcement.setString(3, words.context());
      announcement.execute();
    }
  }

  /** A bare write: BEGIN goes with the announcement. */
  private Object runAlone(Words words, Statement statement, Method method, Object[] arguments) throws Throwable {
    int fetchSize = statement.getFetchSize();
    // Its rows must all be here before the commit; in autocommit they would be.
    if (fetchSize != 0) statement.setFetchSize(0);
    target.setAutoCommit(false);
    try {
      announce(words);
      Object result = call(method, statement, arguments);
      target.commit();
      return result;
    } catch (Throwable error) {
      try {
        target.rollback();
      } catch (SQLException second) {
        error.addSuppressed(second);
      }
      throw error;
    } finally {
      restore(statement, fetchSize);
    }
  }

  private void restore(Statement statement, int fetchSize) throws SQLException {
    if (target.isClosed()) return;
    target.setAutoCommit(true);
    if (fetchSize != 0 && !statement.isClosed()) statement.setFetchSize(fetchSize);
  }

  static Object call(Method method, Object target, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException error) {
      throw error.getCause();
    }
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(AnnouncingConnection.class.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
