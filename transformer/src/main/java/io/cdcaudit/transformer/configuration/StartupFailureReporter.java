package io.cdcaudit.transformer.configuration;

import java.util.Optional;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringBootExceptionReporter;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * Says in one line why the transformer did not start. Spring Boot reports the failures that this
 * has no line for.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class StartupFailureReporter implements SpringBootExceptionReporter {

  @Override
  public boolean reportException(Throwable failure) {
    Optional<String> line = line(failure);
    line.ifPresent(
        text ->
            LoggerFactory.getLogger("io.cdcaudit.transformer")
                .error("The transformer can't start: {}", text));
    return line.isPresent();
  }

  /** The line; empty for other failures. */
  static Optional<String> line(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof StartupException startup) {
        return Optional.of(startup.getMessage());
      }
    }
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException unreadable && unreadable.getProperty() != null) {
        Object value = unreadable.getProperty().getValue();
        return Setting.ofProperty(unreadable.getName().toString())
            .map(setting -> setting.complaint(value));
      }
    }
    return Optional.empty();
  }
}
