package io.cdcaudit.actors.conformance;

import com.zaxxer.hikari.HikariDataSource;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import javax.sql.DataSource;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** Spring Boot with the starter and nothing else: JdbcTemplate, its transactions, {@code @Async}. */
final class SpringClient implements Client {
  private final ConfigurableApplicationContext context;
  private final JdbcTemplate jdbc;
  private final PlatformTransactionManager transactions;

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @EnableAsync
  static class Application {
    @Bean
    Worker worker() {
      return new Worker();
    }
  }

  /** A bean whose work is done in the background. */
  static class Worker {
    @Async
    public CompletableFuture<Void> run(Steps work) {
      try {
        work.run(null);
        return CompletableFuture.completedFuture(null);
      } catch (Exception error) {
        return CompletableFuture.failedFuture(error);
      }
    }
  }

  SpringClient() {
    Map<String, Object> settings = new HashMap<>();
    settings.put("spring.datasource.url", Pools.url());
    settings.put("spring.datasource.username", System.getenv("PGUSER"));
    settings.put("spring.datasource.password", System.getenv("PGPASSWORD"));
    settings.put("spring.datasource.hikari.minimum-idle", 0);
    settings.put("spring.main.banner-mode", "off");
    settings.put("logging.level.root", "warn");
    context = new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE).properties(settings).run();
    jdbc = context.getBean(JdbcTemplate.class);
    transactions = context.getBean(PlatformTransactionManager.class);
  }

  @Override
  public String driver() {
    return "Spring Boot " + SpringBootVersion.getVersion() + ", pgjdbc " + org.postgresql.util.DriverInfo.DRIVER_VERSION;
  }

  @Override
  public Map<String, String> cannot() {
    return Pools.cannot();
  }

  @Override
  public void open(int size) throws Exception {
    Fresh.connections(context.getBean(DataSource.class).unwrap(HikariDataSource.class), size);
  }

  @Override
  public void transaction(boolean readOnly, String isolation, Steps steps) throws Exception {
    TransactionTemplate template = new TransactionTemplate(transactions);
    template.setReadOnly(readOnly);
    if (isolation != null) template.setIsolationLevel(Pools.isolation(isolation));
    in(template, steps);
  }

  @Override
  public void savepoint(Object within, Steps steps) throws Exception {
    TransactionTemplate template = new TransactionTemplate(transactions);
    template.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
    in(template, steps);
  }

  private void in(TransactionTemplate template, Steps steps) throws Exception {
    template.executeWithoutResult(status -> {
      try {
        steps.run(status);
      } catch (RuntimeException error) {
        throw error;
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
    });
  }

  @Override
  public void insert(Object within, String id) {
    jdbc.update("INSERT INTO public.items (id) VALUES (?)", id);
  }

  @Override
  public void update(Object within, String id) {
    jdbc.update("UPDATE public.items SET note = ? WHERE id = ?", UUID.randomUUID().toString(), id);
  }

  @Override
  public void delete(Object within, String id) {
    jdbc.update("DELETE FROM public.items WHERE id = ?", id);
  }

  @Override
  public void sql(Object within, String text) {
    jdbc.execute(text);
  }

  @Override
  public void read(Object within) {
    jdbc.queryForObject("SELECT count(*) FROM public.items", Long.class);
  }

  @Override
  public void job(Steps work) throws Exception {
    try {
      context.getBean(Worker.class).run(work).get();
    } catch (ExecutionException error) {
      throw new IllegalStateException(error.getCause());
    }
  }

  @Override
  public void close() {
    context.close();
  }
}
