package io.cdcaudit.actors.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.actors.Acting;
import io.cdcaudit.actors.AnnouncingDataSource;
import io.cdcaudit.actors.Database;
import io.cdcaudit.actors.example.Shop;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

class ActorsAutoConfigurationTest {
  private static final String INSERT = "INSERT INTO public.items (id) VALUES (gen_random_uuid()::text)";

  private final WebApplicationContextRunner runner = new WebApplicationContextRunner()
      .withConfiguration(AutoConfigurations.of(
          ActorsAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
          DataSourceTransactionManagerAutoConfiguration.class, TaskExecutionAutoConfiguration.class))
      .withBean("main", DataSource.class, Database::application);

  @BeforeEach
  void empty() throws Exception {
    Database.empty();
  }

  @Test
  void aRequestsTransactionsAndBareWritesBearTheName() {
    runner.run(context -> {
      JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
      TransactionTemplate nested = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
      nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
      request(context.getBean(ActorFilter.class), "mia", () -> {
        jdbc.update(INSERT);
        nested.executeWithoutResult(outer -> {
          nested.executeWithoutResult(inner -> inner.setRollbackOnly());
          jdbc.update(INSERT);
        });
      });
      request(context.getBean(ActorFilter.class), null, () -> jdbc.update(INSERT));
      assertThat(Database.names()).containsExactly("mia r-1", "mia r-1", "application");
    });
  }

  private static void request(ActorFilter filter, String user, Runnable work) throws Exception {
    MockHttpServletRequest request = new MockHttpServletRequest();
    request.setRemoteUser(user);
    request.addHeader("X-Request-ID", "r-1");
    filter.doFilter(request, new MockHttpServletResponse(), new MockFilterChain(new jakarta.servlet.http.HttpServlet() {
      private static final long serialVersionUID = 1;

      @Override
      public void service(jakarta.servlet.ServletRequest ignored, jakarta.servlet.ServletResponse response) {
        work.run();
      }
    }));
  }

  @Test
  void workInTheBackgroundActsForWhomItWasHandedOverByBesideOtherDecorators() {
    runner.withBean("other", TaskDecorator.class, () -> work -> work).run(context -> {
      AsyncTaskExecutor executor = context.getBean(AsyncTaskExecutor.class);
      JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
      try (var scope = Acting.as("mia")) {
        CompletableFuture.runAsync(() -> jdbc.update(INSERT), executor).get();
      }
      CompletableFuture.runAsync(() -> jdbc.update(INSERT), executor).get();
      assertThat(Database.names()).containsExactly("mia", "application");
    });
  }

  @Test
  void onlyTheNamedDataSourcesAnnounce() {
    runner.withBean("second", DataSource.class, Database::application)
        .withPropertyValues("cdc-audit.actors.data-sources=second")
        .run(context -> {
          assertThat(context.getBean("second")).isInstanceOf(AnnouncingDataSource.class);
          assertThat(context.getBean("main")).isNotInstanceOf(AnnouncingDataSource.class);
        });
  }

  @Test
  void theExampleShowsWhoAddedACustomer() throws Exception {
    String url = "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
    try (var context = new SpringApplicationBuilder(Shop.class).run(
        "--server.port=0", "--server.address=127.0.0.1", "--spring.datasource.url=" + url,
        "--spring.datasource.username=" + System.getenv("PGUSER"), "--spring.datasource.password=" + System.getenv("PGPASSWORD"))) {
      String port = context.getEnvironment().getProperty("local.server.port");
      HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/customers?name=Ada"))
          .header("Authorization", "Bearer mia").header("X-Request-ID", "r-1").POST(HttpRequest.BodyPublishers.noBody()).build();
      HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(answer.body()).contains("Ada");
      assertThat(Database.names()).containsExactly("mia r-1");
    }
  }
}
