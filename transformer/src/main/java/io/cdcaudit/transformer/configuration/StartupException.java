package io.cdcaudit.transformer.configuration;

/** The transformer can't start; the message is one line for whoever started it. */
public class StartupException extends RuntimeException {

  public StartupException(String message) {
    super(message);
  }
}
