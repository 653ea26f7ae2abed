package io.cdcaudit.transformer.streams;

import org.apache.kafka.common.errors.AuthenticationException;

/**
 * The answer of MSK's smallest brokers to many connections at once. Kafka takes it for a refused
 * identity, but it passes by itself.
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
