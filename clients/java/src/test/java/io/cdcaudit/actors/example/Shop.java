package io.cdcaudit.actors.example;

import io.cdcaudit.actors.spring.RequestActor;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * Spring Boot: who signs in stands beside each change in the log.
 *
 * <pre>
 * sh prepare.sh
 * export SPRING_DATASOURCE_URL=jdbc:postgresql://127.0.0.1:5432/shop
 * export SPRING_DATASOURCE_USERNAME=shop SPRING_DATASOURCE_PASSWORD=shop
 * java -cp "target/classes:target/test-classes:$(cat target/test.classpath)" io.cdcaudit.actors.example.Shop
 * curl -X POST -H 'Authorization: Bearer mia' 'http://127.0.0.1:8080/customers?name=Ada'
 * </pre>
 */
@SpringBootApplication
@RestController
public class Shop {
  private final JdbcTemplate jdbc;

  Shop(JdbcTemplate jdbc) {
    this.jdbc = jdbc;
  }

  public static void main(String[] arguments) {
    SpringApplication.run(Shop.class, arguments);
  }

  /** Stands for your own sign-in: the token is the name. With Spring Security, leave this bean out. */
  @Bean
  static RequestActor actor() {
    return request -> {
      String token = request.getHeader("Authorization");
      return token == null ? null : token.replace("Bearer ", "");
    };
  }

  @PostMapping("/customers")
  Map<String, String> add(@RequestParam String name) {
    jdbc.update("INSERT INTO shop.customers (name, email) VALUES (?, ?)", name, name.toLowerCase() + "@example.com");
    return Map.of("added", name);
  }
}
