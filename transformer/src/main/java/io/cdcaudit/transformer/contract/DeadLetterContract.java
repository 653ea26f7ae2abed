package io.cdcaudit.transformer.contract;

import java.util.List;
import tools.jackson.databind.JsonNode;

/** {@code contract/dead-letters.json}: the words for what becomes of a record that is no event. */
public final class DeadLetterContract {

  private static final JsonNode FILE = ContractFile.read("dead-letters.json");

  /** Why a record may be refused. */
  public static final List<String> REASONS = ContractFile.strings(FILE.required("reasons"));

  /** Why a record may make no event although nothing is wrong with it. */
  public static final List<String> IGNORED_KINDS =
      ContractFile.strings(FILE.required("ignoredKinds"));

  private DeadLetterContract() {}

  /** The name of a dead letter's header, such as {@code audit.reason} for {@code reason}. */
  public static String header(String role) {
    return FILE.required("headers").required(role).stringValue();
  }

  /** The contract's word for a constant of an enum of reasons. */
  public static String reason(Enum<?> constant) {
    return ContractFile.wordOf(constant, REASONS);
  }

  /** The contract's word for a constant of an enum of kinds of ignored records. */
  public static String ignoredKind(Enum<?> constant) {
    return ContractFile.wordOf(constant, IGNORED_KINDS);
  }
}
