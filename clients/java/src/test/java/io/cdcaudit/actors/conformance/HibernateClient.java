package io.cdcaudit.actors.conformance;

import com.zaxxer.hikari.HikariDataSource;
import io.cdcaudit.actors.AnnouncingDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.Version;
import org.hibernate.cfg.AvailableSettings;
import org.hibernate.cfg.Configuration;

/** Hibernate without Spring, with the announcing data source as its own. */
final class HibernateClient implements Client {
  private final Workers workers = new Workers();
  private HikariDataSource pool;
  private SessionFactory sessions;

  @Override
  public String driver() {
    return "Hibernate " + Version.getVersionString() + ", pgjdbc " + org.postgresql.util.DriverInfo.DRIVER_VERSION;
  }

  @Override
  public Map<String, String> cannot() {
    Map<String, String> cannot = new HashMap<>(Pools.cannot());
    cannot.put("savepoint", "Hibernate has no nested transactions, and an error marks the whole one for rollback");
    return cannot;
  }

  @Override
  public void open(int size) {
    if (pool == null) {
      pool = Pools.hikari(size);
      sessions = new Configuration()
          .setProperty(AvailableSettings.DIALECT, "org.hibernate.dialect.PostgreSQLDialect")
          .addAnnotatedClass(Item.class)
          .buildSessionFactory(new org.hibernate.boot.registry.StandardServiceRegistryBuilder()
              .applySetting(AvailableSettings.JAKARTA_NON_JTA_DATASOURCE, new AnnouncingDataSource(pool))
              .build());
    }
    Fresh.connections(pool, size);
  }

  @Override
  public void transaction(boolean readOnly, String isolation, Steps steps) throws Exception {
    try (Session session = sessions.openSession()) {
      session.setDefaultReadOnly(readOnly);
      session.doWork(connection -> {
        // The session holds its connection to its end, and the pool resets it.
        if (readOnly) connection.setReadOnly(true);
        if (isolation != null) connection.setTransactionIsolation(Pools.isolation(isolation));
      });
      var transaction = session.beginTransaction();
      try {
        steps.run(session);
        transaction.commit();
      } catch (Throwable error) {
        transaction.rollback();
        throw error;
      }
    }
  }

  @Override
  public void savepoint(Object within, Steps steps) {
    throw new UnsupportedOperationException(cannot().get("savepoint"));
  }

  @Override
  public void insert(Object within, String id) throws Exception {
    if (within != null) {
      ((Session) within).persist(new Item(id));
      ((Session) within).flush();
    } else {
      bare(session -> session.doWork(connection -> {
        try (var statement = connection.prepareStatement("INSERT INTO public.items (id) VALUES (?)")) {
          statement.setString(1, id);
          statement.executeUpdate();
        }
      }));
    }
  }

  @Override
  public void update(Object within, String id) {
    in(within, "UPDATE public.items SET note = ? WHERE id = ?", UUID.randomUUID().toString(), id);
  }

  @Override
  public void delete(Object within, String id) {
    in(within, "DELETE FROM public.items WHERE id = ?", id);
  }

  @Override
  public void read(Object within) {
    in(within, "SELECT count(*) FROM public.items");
  }

  @Override
  public void sql(Object within, String text) {
    in(within, text);
  }

  /** Hibernate refuses a change outside its transactions, so a bare one goes through the session's connection. */
  private void in(Object within, String text, String... values) {
    Consumer<Session> work = session -> session.doWork(connection -> execute(connection, text, values));
    if (within == null) bare(work);
    else work.accept((Session) within);
  }

  private static void execute(Connection connection, String text, String... values) throws SQLException {
    try (var statement = connection.prepareStatement(text)) {
      for (int place = 0; place < values.length; place++) statement.setString(place + 1, values[place]);
      statement.execute();
    }
  }

  private void bare(Consumer<Session> work) {
    try (Session session = sessions.openSession()) {
      work.accept(session);
    }
  }

  @Override
  public void job(Steps work) throws Exception {
    workers.run(work);
  }

  @Override
  public void close() {
    if (sessions != null) sessions.close();
    if (pool != null) pool.close();
    workers.close();
  }
}
