package io.cdcaudit.transformer.record;

/** What DMS says happened to a row. */
public enum Operation {
  LOAD,
  INSERT,
  UPDATE,
  DELETE;

  /**
   * @throws RefusedRecordException for any other word
   */
  static Operation of(String word) {
    return switch (word) {
      case "load" -> LOAD;
      case "insert" -> INSERT;
      case "update" -> UPDATE;
      case "delete" -> DELETE;
      default ->
          throw new RefusedRecordException(
              DeadLetterReason.UNKNOWN_OPERATION,
              "operation is \"" + word + "\"; known are load, insert, update and delete");
    };
  }
}
