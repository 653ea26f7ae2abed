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
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/** Knows what the transaction of a connection has been told, and tells it before a statement that needs it. */
final class AnnouncingConnection implements InvocationHandler {
  private static final String ANNOUNCE = "SELECT capture.announce(?, ?, ?::jsonb)";
  /** No actor's words: one announcement or another may hold. */
  private static final Words UNSURE = new Words("", null, "{}");
  private static final Set<String> OF_TRANSACTIONS = Set.of(
      "commit", "rollback", "setAutoCommit", "getAutoCommit", "setSavepoint", "releaseSavepoint", "setReadOnly",
      "setTransactionIsolation");

  private final Connection target;
  private final OpenTransaction transaction;
  /**
   * A bare write is BEGIN, announcement, write and COMMIT, and another thread's statement must not come between. It is no
   * monitor, because a virtual thread that waits for one holds its carrier before Java 24.
   */
  private final ReentrantLock lock = new ReentrantLock();
  /** What the open transaction was told; null for nothing yet. */
  private Words told;

  private AnnouncingConnection(Connection target) {
    this.target = target;
    transaction = new OpenTransaction(target);
  }

  static Connection around(Connection target) {
    return (Connection) proxy(Connection.class, target, new AnnouncingConnection(target));
  }

  static boolean is(Connection connection) {
    return Proxy.isProxyClass(connection.getClass()) && Proxy.getInvocationHandler(connection) instanceof AnnouncingConnection;
  }

  @Override
  public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
    // The others need no lock, and abort and close must not wait for a statement.
    if (!OF_TRANSACTIONS.contains(method.getName())) return invokeAlone(self, method, arguments);
    lock.lock();
    try {
      return invokeAlone(self, method, arguments);
    } finally {
      lock.unlock();
    }
  }

  private Object invokeAlone(Object self, Method method, Object[] arguments) throws Throwable {
    switch (method.getName()) {
      case "equals":
        return self == arguments[0];
      case "hashCode":
        return System.identityHashCode(self);
      case "createStatement", "prepareStatement", "prepareCall":
        return statement((Connection) self, method, arguments);
      case "setSavepoint":
        // Its rollback would take back a name that is said behind it.
        forgetWhatEnded();
        if (!target.getAutoCommit()) announceNews("SAVEPOINT");
        break;
      case "commit", "rollback", "setAutoCommit":
        doubt();
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
    return proxy(type, made, handler);
  }

  /** Runs a statement, with what it needs before it. */
  Object run(String text, Statement statement, Method method, Object[] arguments) throws Throwable {
    lock.lock();
    try {
      forgetWhatEnded();
      boolean isBare = target.getAutoCommit() && !transaction.isOpen();
      if (isBare && Statements.changesRows(text) && !target.isReadOnly()) {
        Words words = Acting.words();
        if (words != null && !words.isNobody()) return runAlone(words, statement, method, arguments);
      }
      if (!isBare) announceNews(text);
      if (Statements.undoesName(text)) doubt();
      Object result = call(method, statement, arguments);
      transaction.ran(text);
      return result;
    } finally {
      lock.unlock();
    }
  }

  private void forgetWhatEnded() throws SQLException {
    if (!transaction.isOpen()) told = null;
  }

  /** An announcement may have been taken back, or one that was before it holds again. */
  private void doubt() {
    if (told != null) told = UNSURE;
  }

  private void announceNews(String text) throws SQLException {
    if (!Statements.wantsName(text) || target.isReadOnly()) return;
    Words words = Acting.words();
    if (words == null || words.equals(told)) return;
    // Nobody is what a transaction begins with.
    if (words.isNobody() && told == null) return;
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

  private static Object proxy(Class<?> type, Object target, InvocationHandler handler) {
    return Proxy.newProxyInstance(AnnouncingConnection.class.getClassLoader(), Pgjdbc.typesOf(type, target), handler);
  }
}
