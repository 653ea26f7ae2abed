package io.cdcaudit.actors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

class AnnouncingDataSourceTest {
  private static final String INSERT = "INSERT INTO public.items (id) VALUES (gen_random_uuid()::text)";

  private Connection connection;

  @BeforeEach
  void connect() throws SQLException {
    Database.empty();
    connection = new AnnouncingDataSource(Database.application()).getConnection();
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  private void run(String... statements) throws SQLException {
    for (String text : statements) {
      try (Statement statement = connection.createStatement()) {
        statement.execute(text);
      }
    }
  }

  private interface Work {
    void run() throws SQLException;
  }

  private static void as(String actor, Work work) throws SQLException {
    try (var scope = Acting.as(actor)) {
      work.run();
    }
  }

  @Test
  void eachTransactionOfAConnectionBearsItsOwnName() throws SQLException {
    connection.setAutoCommit(false);
    try (var scope = Acting.as("mia", "r-1", Map.of("reason", "refund"))) {
      run(INSERT, INSERT);
      connection.commit();
    }
    for (String actor : new String[] {"noah", "noah", null}) {
      as(actor, () -> {
        run(INSERT);
        connection.commit();
      });
    }
    assertThat(Database.names()).containsExactly("mia r-1 refund", "noah", "noah", "application");
  }

  @Test
  void theNameTakesOneTripWithBeginAndNoneWhereNobodyActs() throws Exception {
    try (Relay relay = new Relay(Integer.parseInt(System.getenv("PGPORT")));
        Connection counted = new AnnouncingDataSource(Database.application(relay.port())).getConnection()) {
      int without = trips(relay, counted, null);
      assertThat(without).isEqualTo(2);
      assertThat(trips(relay, counted, "mia")).isEqualTo(3);
      int before = relay.tripsSoFar();
      as("mia", () -> {
        counted.setAutoCommit(false);
        counted.commit();
        counted.setAutoCommit(true);
      });
      assertThat(relay.tripsSoFar()).isEqualTo(before);
    }
    assertThat(Database.names()).containsExactly("application", "mia");
  }

  private static int trips(Relay relay, Connection counted, String actor) throws SQLException {
    int before = relay.tripsSoFar();
    try (var scope = Acting.as(actor); Statement statement = counted.createStatement()) {
      counted.setAutoCommit(false);
      statement.execute(INSERT);
      counted.commit();
      counted.setAutoCommit(true);
    }
    return relay.tripsSoFar() - before;
  }

  @Test
  void anIsolationLevelAndALockMayComeFirst() throws SQLException {
    connection.setAutoCommit(false);
    as("mia", () -> {
      run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "LOCK TABLE public.items", INSERT);
      connection.commit();
    });
    assertThat(Database.names()).containsExactly("mia");
  }

  @Test
  void aSavepointThatIsRolledBackLeavesTheName() throws SQLException {
    connection.setAutoCommit(false);
    as("mia", () -> {
      Savepoint first = connection.setSavepoint();
      as("noah", () -> run(INSERT));
      connection.rollback(first);
      run(INSERT);
      connection.commit();
    });
    assertThat(Database.names()).endsWith("mia");
  }

  @Test
  void aBareWriteBearsTheNameReturnsItsRowsAndIsCommittedAtOnce() throws SQLException {
    as("mia", () -> {
      try (PreparedStatement statement = connection.prepareStatement("INSERT INTO public.items SELECT n::text FROM generate_series(1, 50) n RETURNING id")) {
        statement.setFetchSize(10);
        int rows = 0;
        try (ResultSet result = statement.executeQuery()) {
          while (result.next()) rows++;
        }
        assertThat(rows).isEqualTo(50);
        assertThat(statement.getFetchSize()).isEqualTo(10);
        assertThat(statement.getConnection()).isSameAs(connection);
      }
      assertThatThrownBy(() -> run("INSERT INTO public.items VALUES ('1')")).hasMessageContaining("duplicate");
      assertThat(connection.getAutoCommit()).isTrue();
      try (Statement batch = connection.createStatement()) {
        batch.addBatch("DELETE FROM public.items WHERE id = '2'");
        batch.addBatch("DELETE FROM public.items WHERE id = '3'");
        batch.executeBatch();
      }
    });
    run(INSERT);
    assertThat(Database.names()).containsExactly("mia", "mia", "application");
  }

  @Test
  void aTransactionThatTheTextBeginsBearsTheName() throws SQLException {
    as("mia", () -> run("BEGIN", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", INSERT, "COMMIT", INSERT));
    run("BEGIN", INSERT, "COMMIT");
    assertThat(Database.names()).containsExactly("mia", "mia", "application");
  }

  @Test
  void whatTheDatabaseRefusesIsAnErrorAndTheConnectionGoesOn() throws SQLException {
    as("x".repeat(601), () -> assertThatThrownBy(() -> run(INSERT)).hasMessageContaining("601 characters"));
    as("mia", () -> run(INSERT));
    assertThat(Database.names()).containsExactly("mia");
  }

  @Test
  void whatOnlyReadsOrIsReadOnlyIsLeftAlone() throws SQLException {
    connection.setReadOnly(true);
    connection.setAutoCommit(false);
    // It would be refused if it were said.
    as("x".repeat(601), () -> run("SELECT 1"));
    connection.rollback();
    connection.setReadOnly(false);
    connection.setAutoCommit(true);
    as("x".repeat(601), () -> run("SELECT 1"));
  }

  @Test
  void theDriverAndThePoolCanBeReached() throws SQLException {
    assertThat(connection.unwrap(PGConnection.class).getBackendPID()).isPositive();
    assertThat(connection).isEqualTo(connection).isNotEqualTo(connection.unwrap(PGConnection.class));
    var source = new AnnouncingDataSource(new AnnouncingDataSource(Database.application()));
    assertThat(source.isWrapperFor(org.postgresql.ds.PGSimpleDataSource.class)).isTrue();
    try (Connection once = source.getConnection()) {
      assertThat(AnnouncingConnection.is(once)).isTrue();
    }
  }
}
