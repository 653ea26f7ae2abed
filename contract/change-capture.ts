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

/** A table (or, with `%`, a set of tables) to capture or to leave out. */
export interface TableSelection {
  readonly schema: string;
  /** `%` stands for any characters, every other character for itself. */
  readonly table: string;
  /** Whether these tables are left out, whichever other entry names them. Default false. */
  readonly exclude?: boolean;
}

/** Whether a selection may mean several tables. */
export const isPattern = (selection: TableSelection) => selection.table.includes("%");

/** Whether a selection means this table, or, if that is a pattern as well, whatever it means. */
export function selects(selection: TableSelection, { schema, table }: TableSelection): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^${selection.table.split("%").map(literal).join("[^]*")}$`);
  return selection.schema === schema && pattern.test(table);
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
      /** `explicit` includes the one table of exactly this name, in which no character is a wildcard. */
      readonly "rule-action": "include" | "exclude" | "explicit";
      /** Among the tables of a full load, those with a higher number come first. */
      readonly "load-order"?: string;
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

/** The highest `load-order` that DMS takes. */
export const firstInLoadOrder = 2_147_483_647;

/**
 * The table mappings of the DMS task: each selected table, and the signal table, into one topic. The signal table has
 * no key, so its records are partitioned by schema and table. A full load begins with it, because it says what the rows
 * of the other tables mean. The audit log itself is always excluded: it can never feed back into the capture.
 */
export function tableMappings(tables: readonly TableSelection[], rawTopic: string): TableMappings {
  const signal = { schema: captureSchema.schema, table: captureSchema.signalTable };
  const rules: TableMappingRule[] = [];
  const nextId = () => String(rules.length + 1);
  const select = (locator: ObjectLocator, action: "include" | "exclude" | "explicit", loadOrder?: number) =>
    rules.push({
      "rule-type": "selection",
      "rule-id": nextId(),
      "rule-name": `${action}-${nextId()}`,
      "object-locator": locator,
      "rule-action": action,
      ...(loadOrder === undefined ? {} : { "load-order": String(loadOrder) }),
    });
  for (const selection of [...tables.filter(({ exclude }) => !exclude), signal]) {
    // The guide shows no way to write a bracket in a pattern, so an exact name that has one is sent as it is.
    if (!isPattern(selection) && /\[/.test(selection.schema + selection.table)) {
      select({ "schema-name": selection.schema, "table-name": selection.table }, "explicit");
    } else {
      select(locatorOf(selection), "include", selection === signal ? firstInLoadOrder : undefined);
    }
    rules.push({
      "rule-type": "object-mapping",
      "rule-id": nextId(),
      "rule-name": `map-${nextId()}`,
      "object-locator": locatorOf(selection),
      "rule-action": "map-record-to-record",
      "kafka-target-topic": rawTopic,
      "mapping-parameters": { "partition-key-type": selection === signal ? "schema-table" : "primary-key" },
    });
  }
  for (const selection of tables.filter(({ exclude }) => exclude)) select(locatorOf(selection), "exclude");
  select({ "schema-name": excluded.schemas.audit, "table-name": "%" }, "exclude");
  return { rules };
}

/** In DMS's patterns `_` is any character and `[…]` one of a set; a set of one stands for that character. */
function locatorOf({ schema, table }: TableSelection): ObjectLocator {
  const literal = (name: string) => name.replace(/[_[]/g, "[$&]");
  return { "schema-name": literal(schema), "table-name": literal(table) };
}

/**
 * Default of {@link TaskSettingsInput.lobMaxSizeKilobytes}: texts of two million characters, which DMS counts as two bytes
 * each. A full load sets aside this much memory for each LOB column of each row of a commit.
 */
export const defaultLobMaxSizeKilobytes = 4096;

/** The most that it can be set to. */
export const mostLobMaxSizeKilobytes = 102_400;

/** Scalar types that DMS takes for LOBs of characters, as it does arrays and composite types; `bytea` is one of bytes. */
export const lobTypes: readonly string[] = ["text", "citext", "json", "jsonb", "xml", "hstore", "tsvector", "tsquery"];

/**
 * What DMS takes of a `varchar` without a length, in bytes, unless its source endpoint says otherwise
 * (`unboundedVarcharMaxSize`), and the most that it can be told to take.
 */
export const defaultUnboundedVarcharMaxBytes = 8000;
export const mostUnboundedVarcharMaxBytes = 10_485_760;

/** The source endpoint's extra connection attributes: what has no property among the endpoint's settings. */
export interface SourceAttributes {
  /** Default {@link defaultUnboundedVarcharMaxBytes}. */
  readonly unboundedVarcharMaxBytes?: number;
  /** DNS name of a Secrets Manager endpoint. */
  readonly secretsManagerEndpoint?: string;
}

/**
 * Them as DMS reads them; none where all are DMS's own defaults, because it may write them back differently, and a
 * difference would stop the task at every deployment.
 */
export function extraConnectionAttributes(attributes: SourceAttributes): string | undefined {
  const { unboundedVarcharMaxBytes, secretsManagerEndpoint } = attributes;
  const written = [
    ...(secretsManagerEndpoint ? [`secretsManagerEndpointOverride=${secretsManagerEndpoint}`] : []),
    ...(unboundedVarcharMaxBytes === undefined || unboundedVarcharMaxBytes === defaultUnboundedVarcharMaxBytes
      ? []
      : [`unboundedVarcharMaxSize=${unboundedVarcharMaxBytes}`]),
  ];
  return written.length === 0 ? undefined : written.join(";");
}

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
    // One table at a time: otherwise its load order only says which table begins first.
    FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING", MaxFullLoadSubTasks: 1 },
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
