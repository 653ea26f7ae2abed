package io.cdcaudit.transformer.contract;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/** {@code contract/signals.json}: how signals stand in their table, and what is never audited. */
public final class SignalContract {

  private static final JsonNode FILE = ContractFile.read("signals.json");
  private static final JsonNode NEVER_AUDITED = FILE.required("neverAudited");
  private static final JsonNode BODY = FILE.required("body");

  /** The schema of the signal table. */
  public static final String SCHEMA = schema("capture");

  /** DMS's heartbeat is the only table in it. */
  public static final String HEARTBEAT_SCHEMA = schema("heartbeat");

  /** The audit log's own schema. */
  public static final String AUDIT_SCHEMA = schema("audit");

  /** DMS begins the names of its own tables so, in any schema. */
  public static final String TASK_TABLE_PREFIX =
      NEVER_AUDITED.required("tablePrefix").stringValue();

  /** The signal table's name. */
  public static final String TABLE = FILE.required("table").stringValue();

  /** What a signal may be. */
  public static final List<String> KINDS = ContractFile.strings(FILE.required("kinds"));

  /** The columns that hold the pieces of a body, in order. */
  public static final List<String> BODY_COLUMNS =
      IntStream.rangeClosed(1, BODY.required("columns").intValue())
          .mapToObj(number -> BODY.required("columnPrefix").stringValue() + number)
          .toList();

  /** Characters that one of these columns holds. */
  public static final int BODY_COLUMN_LENGTH = BODY.required("columnLength").intValue();

  /** Characters that a body has at most. */
  public static final int LONGEST_BODY = BODY_COLUMNS.size() * BODY_COLUMN_LENGTH;

  /** The facts of a session signal, in order, each with the column in which it stands as it is. */
  public static final Map<String, String> SESSION_FACTS = sessionFacts();

  private SignalContract() {}

  private static String schema(String role) {
    return NEVER_AUDITED.required("schemas").required(role).stringValue();
  }

  private static Map<String, String> sessionFacts() {
    Map<String, String> columns = new LinkedHashMap<>();
    for (String fact : ContractFile.strings(FILE.required("sessionFacts"))) {
      columns.put(fact, BODY_COLUMNS.get(columns.size()));
    }
    return Collections.unmodifiableMap(columns);
  }
}
