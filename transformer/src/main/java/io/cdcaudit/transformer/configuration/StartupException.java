package io.cdcaudit.transformer.configuration;

/** The transformer can't start. The message is one line for the person who started it. */
public class StartupException extends RuntimeException {

  public StartupException(String message) {
    super(message);
  }
}
