import signals from "./signals.json";

const { body, neverAudited: excluded } = signals;

/** Schemas and tables that belong to the pipeline itself, in whichever database they are: no change of theirs is an event. */
export const neverAudited = {
  /** `capture`, `capture_heartbeat` and `audit`. */
  schemas: Object.values(excluded.schemas) as readonly string[],
  /** DMS begins the names of its own tables so, in any schema. */
  tablePrefix: excluded.tablePrefix,
} as const;

/** The source-side table that signals ride on, and the names around it. The SQL in `database/source` creates them. */
export const captureSchema = {
  schema: excluded.schemas.capture,
  signalTable: signals.table,
  /** DMS keeps its heartbeat table here, so that an idle database does not pin WAL. */
  heartbeatSchema: excluded.schemas.heartbeat,
  signalKinds: signals.kinds as readonly string[],
  /**
   * A signal's JSON stands in numbered varchar columns, not in one text or jsonb column: DMS migrates LOB columns only
   * for tables with a primary or unique key, and a key on this table would slow every writer.
   */
  signalBodyColumns: Array.from({ length: body.columns }, (_, index) => `${body.columnPrefix}${index + 1}`),
  /** Characters in one body column: 2,000 of at most 4 bytes stay within the 8,000 bytes that DMS takes as a string. */
  signalBodyColumnLength: body.columnLength,
  /** Characters that a signal's JSON has at most. */
  longestSignal: body.columns * body.columnLength,
  /** Characters of an actor: 600 of four bytes fit an entry of the log's index by actor. */
  longestActor: signals.longestActor,
  /**
   * What `body_1` and the columns after it hold in a signal of kind `session`, which the actor trigger writes in nearly
   * every transaction: facts as they are, because to make JSON of them would be a third of what it costs the writer.
   */
  sessionFacts: signals.sessionFacts as readonly string[],
} as const;

/** A table (or, with `%`, a set of tables) to capture. */
export interface TableSelection {
  readonly schema: string;
  readonly table: string;
}

/** DMS table-mapping rules, in DMS's own member names. */
export interface TableMappings {
  readonly rules: readonly TableMappingRule[];
}
export type TableMappingRule =
  | {
      readonly "rule-type": "selection";
      readonly "rule-id": string;
      readonly "rule-name": string;
      readonly "object-locator": ObjectLocator;
      readonly "rule-action": "include" | "exclude";
    }
  | {
      readonly "rule-type": "object-mapping";
      readonly "rule-id": string;
      readonly "rule-name": string;
      readonly "object-locator": ObjectLocator;
      readonly "rule-action": "map-record-to-record";
      readonly "kafka-target-topic": string;
      readonly "mapping-parameters": { readonly "partition-key-type": "primary-key" | "schema-table" };
    };
interface ObjectLocator {
  readonly "schema-name": string;
  readonly "table-name": string;
}

/**
 * The table mappings of the DMS task: each selected table, and the signal table, into one topic. The signal table has
 * no key, so its records are partitioned by schema and table. The audit log itself is always excluded: it can never
 * feed back into the capture.
 */
export function tableMappings(tables: readonly TableSelection[], rawTopic: string): TableMappings {
  const signal = { schema: captureSchema.schema, table: captureSchema.signalTable };
  const rules: TableMappingRule[] = [];
  const nextId = () => String(rules.length + 1);
  for (const selection of [...tables, signal]) {
    const locator = { "schema-name": selection.schema, "table-name": selection.table };
    rules.push({
      "rule-type": "selection",
      "rule-id": nextId(),
      "rule-name": `include-${nextId()}`,
      "object-locator": locator,
      "rule-action": "include",
    });
    rules.push({
      "rule-type": "object-mapping",
      "rule-id": nextId(),
      "rule-name": `map-${nextId()}`,
      "object-locator": locator,
      "rule-action": "map-record-to-record",
      "kafka-target-topic": rawTopic,
      "mapping-parameters": { "partition-key-type": selection === signal ? "schema-table" : "primary-key" },
    });
  }
  rules.push({
    "rule-type": "selection",
    "rule-id": nextId(),
    "rule-name": `exclude-${nextId()}`,
    "object-locator": { "schema-name": excluded.schemas.audit, "table-name": "%" },
    "rule-action": "exclude",
  });
  return { rules };
}

/**
 * Default of {@link TaskSettingsInput.lobMaxSizeKilobytes}: texts of two million characters, which DMS counts as two bytes
 * each. A full load sets aside this much memory for each LOB column of each row of a commit.
 */
export const defaultLobMaxSizeKilobytes = 4096;

export interface TaskSettingsInput {
  /** Text, JSON and arrays above this many KB stop the task rather than be cut; DMS counts two bytes a character. Default 4096. */
  readonly lobMaxSizeKilobytes?: number;
}

/**
 * The DMS task settings that differ from DMS's defaults, in its exact case. Sparse on purpose: every key sent must come
 * back equal or the provider shows a difference for ever. Nothing is skipped silently: data errors stop the task.
 */
export function taskSettings(input: TaskSettingsInput = {}) {
  return {
    TargetMetadata: {
      SupportLobs: true,
      FullLobMode: false,
      LimitedSizeLobMode: true,
      LobMaxSize: input.lobMaxSizeKilobytes ?? defaultLobMaxSizeKilobytes,
      // Batch apply may lose data on a Kafka target; parallel apply gives up commit order.
      BatchApplyEnabled: false,
      ParallelApplyThreads: 0,
    },
    FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" },
    BeforeImageSettings: { EnableBeforeImage: true, FieldName: beforeImageField, ColumnFilter: "all" },
    Logging: { EnableLogging: true },
    ErrorBehavior: {
      DataErrorPolicy: "STOP_TASK",
      DataTruncationErrorPolicy: "STOP_TASK",
      TableErrorPolicy: "STOP_TASK",
      RecoverableErrorCount: -1,
      FailOnNoTablesCaptured: true,
    },
  };
}

/** Name of the top-level field that holds an updated row's old values. */
export const beforeImageField = "before-image";

/** The parts of DMS's Kafka endpoint settings that decide what a change record looks like. */
export const kafkaEndpointFormat = {
  messageFormat: "json-unformatted",
  includeTransactionDetails: true,
  includePartitionValue: true,
  partitionIncludeSchemaTable: true,
  // Without it a NULL and an absent value look alike.
  includeNullAndEmpty: true,
  includeTableAlterOperations: false,
  includeControlDetails: false,
  noHexPrefix: false,
} as const;
