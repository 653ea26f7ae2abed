package io.cdcaudit.actors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;

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
    runOn(connection, statements);
  }

  private static void runOn(Connection connection, String... statements) throws SQLException {
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
  void aStatementThatIsUsedForASecondBatchBearsTheName() throws SQLException {
    as("mia", () -> {
      try (Statement batch = connection.createStatement()) {
        batch.addBatch("SET statement_timeout = 0");
        batch.executeBatch();
        batch.addBatch(INSERT);
        batch.executeBatch();
        batch.addBatch("SET statement_timeout = 0");
        batch.clearBatch();
        batch.addBatch(INSERT);
        batch.executeBatch();
      }
    });
    assertThat(Database.names()).containsExactly("mia", "mia");
  }

  @Test
  void aTransactionThatTheTextBeginsBearsTheName() throws SQLException {
    as("mia", () -> run("BEGIN", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", INSERT, "COMMIT", INSERT));
    run("BEGIN", INSERT, "COMMIT");
    assertThat(Database.names()).containsExactly("mia", "mia", "application");
  }

  @Test
  void aTransactionThatTheTextBeganIsNotCommittedBehindItsBack() throws SQLException {
    as("mia", () -> run(
        "BEGIN", insert("kept"), "COMMIT AND CHAIN", insert("chained"), "ROLLBACK",
        "BEGIN", "PREPARE one AS SELECT 1", insert("prepared"), "ROLLBACK",
        insert("one"), "BEGIN; " + insert("two") + "; COMMIT", insert("three")));
    assertThat(ids()).containsExactlyInAnyOrder("kept", "one", "two", "three");
    assertThat(Database.names()).containsExactly("mia", "mia", "application", "mia");
  }

  @Test
  void theTextsTellWhereTheDriverCannotBeAsked() throws SQLException {
    try (Connection other = AnnouncingConnection.around(ofAnotherDriver(Database.application().getConnection()))) {
      as("mia", () -> runOn(other,
          "BEGIN", insert("kept"), "COMMIT AND CHAIN", insert("chained"), "ROLLBACK",
          "BEGIN", "PREPARE one AS SELECT 1", insert("prepared"), "ROLLBACK",
          insert("one"), "BEGIN; " + insert("two") + "; COMMIT", insert("three")));
    }
    assertThat(ids()).containsExactlyInAnyOrder("kept", "one", "two", "three");
    assertThat(Database.names()).containsExactly("mia", "mia", "application", "mia");
  }

  private static Connection ofAnotherDriver(Connection target) {
    InvocationHandler handler = (self, method, arguments) ->
        method.getName().equals("isWrapperFor") ? false : AnnouncingConnection.call(method, target, arguments);
    return (Connection) Proxy.newProxyInstance(Database.class.getClassLoader(), new Class<?>[] {Connection.class}, handler);
  }

  private static String insert(String id) {
    return "INSERT INTO public.items (id) VALUES ('" + id + "')";
  }

  private static List<String> ids() throws SQLException {
    List<String> ids = new ArrayList<>();
    try (Connection own = Database.application().getConnection();
        Statement statement = own.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id FROM public.items")) {
      while (rows.next()) ids.add(rows.getString(1));
    }
    return ids;
  }

  @Test
  void anExplicitNobodyTakesTheNameBackAndALostContextDoesNot() throws SQLException {
    connection.setAutoCommit(false);
    as("mia", () -> {
      run(INSERT);
      as(null, () -> run(INSERT, INSERT));
      run(INSERT);
    });
    run(INSERT);
    connection.commit();
    assertThat(Database.names()).containsExactly("mia", "application", "mia");
  }

  @Test
  void nobodyIsSaidAgainBehindASavepointWhoseRollbackBroughtTheNameBack() throws SQLException {
    connection.setAutoCommit(false);
    as("mia", () -> {
      run(INSERT);
      Savepoint savepoint = connection.setSavepoint();
      as(null, () -> {
        run(INSERT);
        connection.rollback(savepoint);
        run(INSERT);
      });
      connection.commit();
    });
    assertThat(Database.names()).endsWith("application");
  }

  @Test
  void threadsThatShareAConnectionKeepTheirNames() throws Exception {
    String[] actors = {"mia", "noah", "eva", null};
    List<Callable<Void>> work = new ArrayList<>();
    for (int count = 0; count < 100; count++) {
      String actor = actors[count % actors.length];
      String id = actor + "-" + count;
      work.add(() -> {
        as(actor, () -> run(insert(id)));
        return null;
      });
    }
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      for (var done : threads.invokeAll(work)) done.get();
    } finally {
      threads.shutdown();
    }
    assertThat(connection.getAutoCommit()).isTrue();
    assertThat(ids()).hasSize(100);
    for (String name : new String[] {"mia", "noah", "eva", "application"}) {
      assertThat(Collections.frequency(Database.names(), name)).isEqualTo(25);
    }
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
    assertThat(((PGConnection) connection).getBackendPID()).isPositive();
    try (PreparedStatement statement = connection.prepareStatement("SELECT 1")) {
      ((PGStatement) statement).setPrepareThreshold(1);
    }
    assertThat(connection).isEqualTo(connection).isNotEqualTo(connection.unwrap(PGConnection.class));
    var source = new AnnouncingDataSource(new AnnouncingDataSource(Database.application()));
    assertThat(source.isWrapperFor(org.postgresql.ds.PGSimpleDataSource.class)).isTrue();
    try (Connection once = source.getConnection()) {
      assertThat(AnnouncingConnection.is(once)).isTrue();
    }
  }
}
