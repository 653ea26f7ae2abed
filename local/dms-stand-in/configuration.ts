import { readFileSync } from "node:fs";
import { z } from "zod";
import {
  defaultUnboundedVarcharMaxBytes,
  firstInLoadOrder,
  kafkaEndpointFormat,
  mostUnboundedVarcharMaxBytes,
  type TableMappings,
  type taskSettings as captureTaskSettings,
} from "../../contract/change-capture";
import { defaultMessageMaxBytes } from "../../contract/topics";
import { wildcards } from "./table-selection";

/** A name or a pattern that the stand-in can read as DMS does. */
const pattern = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    try {
      wildcards(text);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  });
const locator = z.strictObject({ "schema-name": pattern, "table-name": pattern });
const exactLocator = z.strictObject({ "schema-name": z.string().min(1), "table-name": z.string().min(1) });
const loadOrder = z
  .string()
  .refine((text) => /^[1-9]\d*$/.test(text) && Number(text) <= firstInLoadOrder, `must be 1 to ${firstInLoadOrder}`)
  .optional();
const rule = { "rule-id": z.string(), "rule-name": z.string(), "object-locator": locator };
const selection = { "rule-type": z.literal("selection"), ...rule, "load-order": loadOrder };

const tableMappings = z.strictObject({
  rules: z
    .array(
      z.discriminatedUnion("rule-action", [
        z.strictObject({ ...selection, "rule-action": z.enum(["include", "exclude"]) }),
        z.strictObject({ ...selection, "rule-action": z.literal("explicit"), "object-locator": exactLocator }),
        z.strictObject({
          "rule-type": z.literal("object-mapping"),
          ...rule,
          "rule-action": z.literal("map-record-to-record"),
          "kafka-target-topic": z.string().min(1),
          "mapping-parameters": z.strictObject({ "partition-key-type": z.enum(["primary-key", "schema-table"]) }),
        }),
      ]),
    )
    .min(1),
}) satisfies z.ZodType<TableMappings>;

/** What the stand-in can imitate of the DMS task settings: the choices that our own task makes, and no others. */
const taskSettings = z.strictObject({
  TargetMetadata: z.strictObject({
    SupportLobs: z.literal(true),
    FullLobMode: z.literal(false),
    LimitedSizeLobMode: z.literal(true),
    LobMaxSize: z.int().positive(),
    BatchApplyEnabled: z.literal(false),
    ParallelApplyThreads: z.literal(0),
  }),
  FullLoadSettings: z.strictObject({
    TargetTablePrepMode: z.literal("DO_NOTHING"),
    MaxFullLoadSubTasks: z.literal(1),
  }),
  BeforeImageSettings: z.strictObject({
    EnableBeforeImage: z.literal(true),
    FieldName: z.string().min(1),
    ColumnFilter: z.literal("all"),
  }),
  Logging: z.strictObject({ EnableLogging: z.boolean() }),
  ErrorBehavior: z.strictObject({
    DataErrorPolicy: z.literal("STOP_TASK"),
    DataTruncationErrorPolicy: z.literal("STOP_TASK"),
    TableErrorPolicy: z.literal("STOP_TASK"),
    RecoverableErrorCount: z.literal(-1),
    FailOnNoTablesCaptured: z.literal(true),
  }),
});

/** Likewise for the record format of the Kafka endpoint. */
const endpointFormat = z.strictObject(
  Object.fromEntries(Object.entries(kafkaEndpointFormat).map(([name, value]) => [name, z.literal(value)])) as {
    [Name in keyof typeof kafkaEndpointFormat]: z.ZodLiteral<(typeof kafkaEndpointFormat)[Name]>;
  },
);

/** Attributes of the source endpoint as DMS takes them, `name=value;…`; those that the stand-in can imitate. */
const sourceAttributes = z.strictObject({
  unboundedVarcharMaxSize: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostUnboundedVarcharMaxBytes)
    .default(defaultUnboundedVarcharMaxBytes),
});
const extraConnectionAttributes = z
  .string()
  .default("")
  .transform((text) =>
    Object.fromEntries(
      text
        .split(";")
        .filter((attribute) => attribute !== "")
        .map((attribute) => attribute.split("=", 2)),
    ),
  )
  .pipe(sourceAttributes);

const configuration = z.strictObject({
  /** `postgres://user:password@host:port/database` of a role with REPLICATION. */
  sourceUrl: z.url({ protocol: /^postgres(ql)?$/, error: "must be a URL like postgres://user@host:5432/database" }),
  /** The logical replication slot; made when missing. Lower-case letters, digits and `_`, at most 57 characters. */
  slotName: z.string().regex(/^[a-z0-9_]{1,57}$/, "must be 1 to 57 lower-case letters, digits or underscores"),
  /** Kafka brokers, `host:port,…`. */
  bootstrapServers: z.string().regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, "must be host:port, or several with commas"),
  /** The endpoint's topic: control records, and every table that no object-mapping rule routes elsewhere. */
  topic: z.string().min(1),
  tableMappings,
  /** Extra connection attributes of the source endpoint. Default: none. */
  extraConnectionAttributes,
  taskSettings,
  endpointFormat,
  /** Load the selected tables when the slot is new, as the migration type `full-load-and-cdc` does. Default false. */
  fullLoad: z.boolean().default(false),
  /** Seconds between heartbeats. Default 60; 0 turns them off. */
  heartbeatSeconds: z.number().nonnegative().default(60),
  /** Seconds that another consumer may hold the slot before the stand-in gives up. Default 60. */
  slotWaitSeconds: z.number().nonnegative().default(60),
  /** Largest change record in bytes; a larger one stops the task. Default: that of the topics. */
  messageMaxBytes: z.int().positive().default(defaultMessageMaxBytes),
});

/** The stand-in's settings, as its configuration file may hold them: a DMS source endpoint, target endpoint and task. */
export type StandInConfigurationFile = Omit<z.input<typeof configuration>, "tableMappings" | "taskSettings"> & {
  readonly tableMappings: TableMappings;
  readonly taskSettings: ReturnType<typeof captureTaskSettings>;
};
/** The same with every default filled in. */
export type StandInConfiguration = z.output<typeof configuration>;

/** Checks settings; throws one error that names every wrong setting. */
export function parseConfiguration(input: unknown): StandInConfiguration {
  const result = configuration.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
  throw new Error(`The configuration is not usable. ${problems.join("; ")}.`);
}

/** Reads and checks a configuration file. */
export function readConfiguration(file: string): StandInConfiguration {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} is not a readable JSON file: ${(error as Error).message}`);
  }
  return parseConfiguration(input);
}
