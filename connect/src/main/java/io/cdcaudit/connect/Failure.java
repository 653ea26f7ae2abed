package io.cdcaudit.connect;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.hibernate.TransactionException;
import org.hibernate.exception.JDBCConnectionException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/**
 * What the sink does about an exception, and why, in words that hold none of the row's data.
 *
 * <p>PostgreSQL's SQLSTATE tells the cause. If the database is there and the row is not at fault,
 * the task stops. If the sink sent every row of a missing table to the dead-letter topic instead,
 * it would only hide the mistake.
 */
record Failure(Kind kind, String reason) {
  enum Kind {
    /** The database cannot be reached. The sink tries again for as long as it takes. */
    UNAVAILABLE,
    /**
     * The database is there and refuses, in a way that passes after a rotation or a failover. The
     * sink tries again for a while.
     */
    REFUSED,
    /** The row's own data is at fault. The row goes to the dead-letter topic. */
    DATA,
    /** Anything else: a person has to act. */
    FATAL
  }

  private static final String CHECK_VIOLATION = "23514";

  static Failure of(Throwable error) {
    List<Throwable> chain = chain(error);
    List<SQLException> sqlErrors =
        chain.stream()
            .filter(SQLException.class::isInstance)
            .map(SQLException.class::cast)
            .filter(sqlError -> sqlError.getSQLState() != null)
            .toList();
    // The lost connection may be the cause of the reported error, or only follow from it. So look
    // at the whole chain.
    for (SQLException sqlError : sqlErrors) {
      if (kind(sqlError) == Kind.UNAVAILABLE) {
        return new Failure(Kind.UNAVAILABLE, describe(sqlError));
      }
    }
    if (!sqlErrors.isEmpty()) {
      SQLException sqlError = sqlErrors.get(sqlErrors.size() - 1);
      return new Failure(kind(sqlError), describe(sqlError));
    }
    return chain.stream()
        .map(Failure::withoutSqlState)
        .filter(Objects::nonNull)
        .findFirst()
        .orElseGet(() -> new Failure(Kind.FATAL, String.valueOf(error.getMessage())));
  }

  private static Failure withoutSqlState(Throwable error) {
    if (error instanceof SdkServiceException refusal) {
      Kind kind =
          refusal.statusCode() >= 500 || refusal.isThrottlingException()
              ? Kind.UNAVAILABLE
              : Kind.REFUSED;
      return new Failure(kind, "Secrets Manager gives no credentials: " + refusal.getMessage());
    }
    if (error instanceof SdkClientException) {
      return new Failure(
          Kind.UNAVAILABLE, "Secrets Manager cannot be reached: " + error.getMessage());
    }
    if (error instanceof JDBCConnectionException || error instanceof TransactionException) {
      return new Failure(Kind.UNAVAILABLE, error.getMessage());
    }
    return null;
  }

  private static Kind kind(SQLException error) {
    String state = error.getSQLState();
    return switch (state) {
      // The row is too large for an index or for jsonb, or its JSON is nested too deeply for
      // PostgreSQL's parser.
      case "54000", "54001" -> Kind.DATA;
      // The secret and the database disagree during a rotation, or the name still resolves to the
      // old writer.
      case "08004", "25006" -> Kind.REFUSED;
      case CHECK_VIOLATION -> violatesConstraint(error) ? Kind.DATA : Kind.FATAL;
      // A query was cancelled, or a lock was not granted in time.
      case "57014", "55P03" -> Kind.UNAVAILABLE;
      default -> kindOfClass(state);
    };
  }

  private static Kind kindOfClass(String state) {
    if (state.startsWith("57P") || state.startsWith("25P")) {
      return Kind.UNAVAILABLE; // Shut down, starting up, or this session was ended.
    }
    return switch (state.substring(0, Math.min(2, state.length()))) {
      case "08", "40", "53", "58" -> Kind.UNAVAILABLE; // Connection, rollback, resources, system.
      case "28" -> Kind.REFUSED;
      case "22", "23" -> Kind.DATA;
      default -> Kind.FATAL;
    };
  }

  /**
   * PostgreSQL reports a row that fits no partition as a violated check constraint, but names no
   * constraint.
   */
  private static boolean violatesConstraint(SQLException error) {
    ServerErrorMessage message =
        error instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
    return message == null || message.getConstraint() != null;
  }

  private static String describe(SQLException error) {
    ServerErrorMessage message =
        error instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
    String text =
        message != null && message.getMessage() != null ? message.getMessage() : error.getMessage();
    // PostgreSQL quotes an offending value after a colon.
    String withoutValue = String.valueOf(text).replaceAll("(?s): \".*", "");
    return withoutValue + " (SQLSTATE " + error.getSQLState() + ")" + advice(error);
  }

  private static String advice(SQLException error) {
    return switch (error.getSQLState()) {
      case CHECK_VIOLATION ->
          violatesConstraint(error)
              ? ""
              : ". Make the missing partition or a default partition, then restart the task";
      case "42501" -> ". Grant the sink's user " + DestinationTable.PRIVILEGES;
      case "42P01", "42703", "3F000", "42P10" -> ". Apply the SQL of the destination database";
      default -> "";
    };
  }

  /** The error, its causes and the further errors of a batch, outermost first. */
  private static List<Throwable> chain(Throwable error) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Throwable> chain = new ArrayList<>();
    collect(error, seen, chain);
    return chain;
  }

  private static void collect(Throwable error, Set<Throwable> seen, List<Throwable> chain) {
    if (error == null || !seen.add(error)) {
      return;
    }
    chain.add(error);
    collect(error.getCause(), seen, chain);
    if (error instanceof SQLException sqlError) {
      collect(sqlError.getNextException(), seen, chain);
    }
  }
}
