package io.cdcaudit.actors.spring;

import io.cdcaudit.actors.Acting;
import io.cdcaudit.actors.AnnouncingDataSource;
import java.util.Set;
import javax.sql.DataSource;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication.Type;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.core.task.TaskDecorator;

/**
 * Makes every data source of the application announce who acts, or only the beans that {@code cdc-audit.actors.data-sources}
 * names, separated by commas.
 */
@AutoConfiguration
public class ActorsAutoConfiguration {

  /**
   * A data source of the application becomes one that announces. A listener of transactions would not see bare writes, and it
   * would come before a SET TRANSACTION or a LOCK.
   */
  @Bean
  static BeanPostProcessor announcingDataSources(Environment environment) {
    Set<?> chosen = environment.getProperty("cdc-audit.actors.data-sources", Set.class, Set.of());
    return new BeanPostProcessor() {
      @Override
      public Object postProcessAfterInitialization(Object bean, String name) {
        boolean isOurs = bean instanceof DataSource && !(bean instanceof AnnouncingDataSource);
        return isOurs && (chosen.isEmpty() || chosen.contains(name)) ? new AnnouncingDataSource((DataSource) bean) : bean;
      }
    };
  }

  /** The executors of Spring Boot, so also {@code @Async}: work bears its sender's name. */
  @Bean
  @Order(0)
  TaskDecorator actorTaskDecorator() {
    return Acting::carry;
  }

  /** The scope of a request. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnWebApplication(type = Type.SERVLET)
  @ConditionalOnClass(name = {"jakarta.servlet.Filter", "org.springframework.web.filter.OncePerRequestFilter"})
  static class Requests {

    @Bean
    @ConditionalOnMissingBean
    RequestActor requestActor() {
      return request -> request.getRemoteUser();
    }

    /** Behind Spring Security's filters, which know who is signed in. */
    @Bean
    @Order(0)
    @ConditionalOnMissingBean
    ActorFilter actorFilter(RequestActor actor) {
      return new ActorFilter(actor);
    }
  }
}
