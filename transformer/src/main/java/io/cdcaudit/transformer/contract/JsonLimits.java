package io.cdcaudit.transformer.contract;

import tools.jackson.databind.JsonNode;

/** {@code contract/json-limits.json}: how deep a value may be nested, and what numeric holds. */
public final class JsonLimits {

  private static final JsonNode FILE = ContractFile.read("json-limits.json");
  private static final JsonNode NUMERIC = FILE.required("numeric");

  /** Levels of objects and arrays. */
  public static final int DEEPEST = FILE.required("deepest").intValue();

  /** Digits of a number before its point, and so of its exponent's reach. */
  public static final int DIGITS_BEFORE_POINT = NUMERIC.required("digitsBeforePoint").intValue();

  /** Digits of a number after its point. */
  public static final int DIGITS_AFTER_POINT = NUMERIC.required("digitsAfterPoint").intValue();

  private JsonLimits() {}
}
