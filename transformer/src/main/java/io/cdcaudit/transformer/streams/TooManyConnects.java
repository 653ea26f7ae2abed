package io.cdcaudit.transformer.streams;

import org.apache.kafka.common.errors.AuthenticationException;

/**
 * What MSK's smallest brokers say to a burst of connections. Kafka takes it for a refused identity,
 * but it passes by itself.
 */
final class TooManyConnects {

  private static final String MESSAGE = "Too many connects";

  private TooManyConnects() {}

  static boolean caused(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof AuthenticationException
          && cause.getMessage() != null
          && cause.getMessage().contains(MESSAGE)) {
        return true;
      }
    }
    return false;
  }
}
