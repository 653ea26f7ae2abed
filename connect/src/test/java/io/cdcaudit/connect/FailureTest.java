package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import org.apache.kafka.connect.errors.ConnectException;
import org.hibernate.TransactionException;
import org.hibernate.exception.DataException;
import org.hibernate.exception.JDBCConnectionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkServiceException;

class FailureTest {
  @ParameterizedTest
  @CsvSource({
    "08001, UNAVAILABLE", // cannot connect
    "08006, UNAVAILABLE", // connection failure
    "08007, UNAVAILABLE", // outcome of the transaction unknown
    "08S02, UNAVAILABLE", // the AWS wrapper has moved to another writer
    "25P03, UNAVAILABLE", // idle in transaction for too long
    "40001, UNAVAILABLE", // serialization failure
    "40P01, UNAVAILABLE", // deadlock
    "53100, UNAVAILABLE", // disk full
    "53300, UNAVAILABLE", // too many connections
    "55P03, UNAVAILABLE", // lock not available
    "57014, UNAVAILABLE", // query cancelled
    "57P01, UNAVAILABLE", // shutdown
    "57P03, UNAVAILABLE", // starting up
    "58030, UNAVAILABLE", // input/output error
    "08004, REFUSED", // the server rejects the connection
    "25006, REFUSED", // read-only
    "28000, REFUSED", // not authorised
    "28P01, REFUSED", // wrong password
    "22003, DATA", // number out of range
    "22P02, DATA", // invalid text representation
    "22P05, DATA", // untranslatable character
    "23502, DATA", // not null
    "23505, DATA", // unique
    "54000, DATA", // too large for an index
    "54001, DATA", // nested too deeply
    "3D000, FATAL", // no such database
    "42501, FATAL", // no privilege
    "42703, FATAL", // no such column
    "42P01, FATAL", // no such table
    "42P10, FATAL", // no such unique key
    "P0001, FATAL", // raised by a trigger
    "XX001, FATAL" // data corrupted
  })
  void eachSqlStateHasOneAnswer(String state, Failure.Kind kind) {
    assertThat(Failure.of(new SQLException("message", state)).kind()).isEqualTo(kind);
  }

  @Test
  void theStateIsFoundHoweverDeepItIsWrapped() {
    SQLException first = new PSQLException(server("22003", "value overflows numeric format", null));
    BatchUpdateException batch =
        new BatchUpdateException("Batch entry 0 <unknown> was aborted", "22003", new int[0]);
    batch.setNextException(first);
    Failure failure =
        Failure.of(
            new ConnectException(
                "Failed to flush", new DataException("Error executing work", batch)));
    assertThat(failure)
        .isEqualTo(
            new Failure(Failure.Kind.DATA, "value overflows numeric format (SQLSTATE 22003)"));
  }

  @Test
  void aLostConnectionWinsOverADataErrorThatItHides() {
    SQLException rollback = new SQLException("This connection has been closed.", "08003");
    TransactionException lost = new TransactionException("Unable to rollback", rollback);
    rollback.setNextException(new SQLException("invalid input", "22P02"));
    assertThat(Failure.of(lost).kind()).isEqualTo(Failure.Kind.UNAVAILABLE);
  }

  @Test
  void aConstraintThatFailsAtCommitIsADataError() {
    SQLException deferred =
        new PSQLException(
            server("23505", "duplicate key value violates unique constraint \"x\"", "x"));
    assertThat(Failure.of(new TransactionException("Unable to commit", deferred)).kind())
        .isEqualTo(Failure.Kind.DATA);
  }

  @Test
  void hibernatesOwnConnectionExceptionsNeedNoState() {
    assertThat(Failure.of(new TransactionException("Unable to commit")).kind())
        .isEqualTo(Failure.Kind.UNAVAILABLE);
    JDBCConnectionException lost =
        new JDBCConnectionException("Unable to acquire", new SQLException("no state"));
    assertThat(Failure.of(new ConnectException(lost)).kind()).isEqualTo(Failure.Kind.UNAVAILABLE);
  }

  @Test
  void aRowThatFitsNoPartitionIsNotItsOwnFault() {
    SQLException check =
        new PSQLException(server("23514", "new row violates check constraint \"c\"", "c"));
    SQLException partition =
        new PSQLException(
            server("23514", "no partition of relation \"events\" found for row", null));
    assertThat(Failure.of(check).kind()).isEqualTo(Failure.Kind.DATA);
    assertThat(Failure.of(partition).kind()).isEqualTo(Failure.Kind.FATAL);
    assertThat(Failure.of(partition).reason())
        .contains("Make the missing partition or a default partition");
  }

  @Test
  void secretsManagerAwayIsWaitedForAndSecretsManagerRefusingForAWhile() {
    SQLException unreachable =
        new SQLException("no credentials", SdkClientException.create("Unable to connect"));
    SQLException broken = new SQLException("no credentials", service(503, "Service unavailable"));
    SQLException denied = new SQLException("no credentials", service(400, "Access denied"));
    assertThat(Failure.of(unreachable).kind()).isEqualTo(Failure.Kind.UNAVAILABLE);
    assertThat(Failure.of(broken).kind()).isEqualTo(Failure.Kind.UNAVAILABLE);
    assertThat(Failure.of(denied).kind()).isEqualTo(Failure.Kind.REFUSED);
    assertThat(Failure.of(denied).reason())
        .startsWith("Secrets Manager gives no credentials: Access denied");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "invalid input syntax for type uuid: \"s3cret\"",
        "date/time field value out of range: \"s3cret\nmore\""
      })
  void theReasonLeavesOutTheValueThatPostgreSqlQuotes(String message) {
    Failure failure = Failure.of(new PSQLException(server("22007", message, null)));
    assertThat(failure.reason()).doesNotContain("s3cret").endsWith("(SQLSTATE 22007)");
  }

  @Test
  void whatIsUnknownIsFatalAndKeepsItsMessage() {
    assertThat(Failure.of(new IllegalStateException("something else")))
        .isEqualTo(new Failure(Failure.Kind.FATAL, "something else"));
  }

  private static ServerErrorMessage server(String state, String message, String constraint) {
    // As the server sends it: each field a letter and a text, ended by NUL.
    String constraintField = constraint == null ? "" : "n" + constraint + "\0";
    return new ServerErrorMessage("SERROR\0C" + state + "\0M" + message + "\0" + constraintField);
  }

  private static SdkServiceException service(int status, String message) {
    return SdkServiceException.builder().statusCode(status).message(message).build();
  }
}
