package io.cdcaudit.transformer.configuration;

/** A setting is missing or not allowed. */
final class InvalidSettingException extends StartupException {

  InvalidSettingException(Setting setting, Object value) {
    super(setting.complaint(value));
  }
}
