import * as z from "zod";
import { actorSourceForms, actorSourcePattern } from "../../contract/actor-sources";
import {
  type AuditedTable,
  type BootstrapRequest,
  type CanaryRequest,
  type ConnectionsRequest,
  type DatabaseAccess,
  type GuardRequest,
  type MaintainRequest,
  operatorActions,
  type OperatorRequest,
  type RotatedCredential,
  type RotateRequest,
} from "../../contract/operator";
import { OperatorError } from "../errors";

/**
 * What `aws.lambda.Invocation` adds to its input when its `lifecycleScope` is `CRUD`: which of the resource's changes
 * this is. A request with `delete` asks for nothing: its resource is being deleted.
 */
export interface Lifecycle {
  readonly action: "create" | "update" | "delete";
}

/** The member of the request that holds the {@link Lifecycle}; Pulumi's default name for it. */
const lifecycleKey = "tf";

const text = () => z.string().min(1, "is empty");
const seconds = () => z.number().positive().max(840);

/** An object that refuses members it does not know, and then says which it knows. */
function members<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `has the unknown member ${(issue as { keys?: string[] }).keys?.join(", ")}; allowed are ${Object.keys(shape).join(", ")}`
        : undefined,
  });
}

const access = { host: text(), port: z.int().min(1).max(65_535).optional(), database: text(), adminSecretArn: text() };
const databaseAccess = members(access) satisfies z.ZodType<DatabaseAccess>;
const partitioning = { partitionsAhead: text().optional(), partitionPeriod: z.enum(["month", "day"]).optional() };

const auditedTable = members({
  schema: text(),
  table: text(),
  exclude: z.boolean().optional(),
  ignoredColumns: z.array(text()).optional(),
  redactedColumns: z.array(text()).optional(),
  identifyActor: z.boolean().optional(),
  replicaIdentity: z.enum(["full", "default", "keep"]).optional(),
}) satisfies z.ZodType<AuditedTable>;

const bootstrap = members({
  action: z.literal("bootstrap"),
  only: z.enum(["destination", "source"]).optional(),
  source: members({
    ...access,
    captureSecretArn: text(),
    tables: z.array(auditedTable),
    actorSources: z
      .array(z.string().regex(actorSourcePattern, `is no source; allowed is ${actorSourceForms}`))
      .optional(),
    postgresVersions: z.array(z.int()).min(1).optional(),
    unboundedVarcharMaxBytes: z.int().positive().optional(),
    lobMaxSizeKilobytes: z.int().positive().optional(),
    messageMaxBytes: z.int().positive().optional(),
  }),
  destination: members({ ...access, ...partitioning, writerSecretArn: text(), reviewSecretArn: text().optional() }),
  lockTimeoutMilliseconds: z.int().positive().optional(),
}) satisfies z.ZodType<BootstrapRequest>;

const connections = members({
  action: z.literal("connections"),
  replicationInstanceArn: text(),
  endpointArns: z.array(text()).min(1),
}) satisfies z.ZodType<ConnectionsRequest>;

const canary = members({
  action: z.literal("canary"),
  sourceId: text(),
  source: databaseAccess,
  destination: databaseAccess,
  captureTaskArn: text(),
  kafka: members({
    bootstrapBrokersIam: text(),
    rawTopic: text(),
    eventsTopic: text(),
    transformerGroup: text(),
    sinkGroup: text(),
  }),
  connectorArn: text(),
  timeoutSeconds: seconds().optional(),
  publishShapes: z.boolean().optional(),
}) satisfies z.ZodType<CanaryRequest>;

const maintain = members({
  action: z.literal("maintain"),
  sourceId: text(),
  source: databaseAccess,
  destination: members({ ...access, ...partitioning, retention: text().optional() }),
  versionsEnd: z.iso.date().optional(),
}) satisfies z.ZodType<MaintainRequest>;

const guard = members({
  action: z.literal("guard"),
  clusterArn: text(),
  bootstrapBrokersIam: text(),
  publicAccessUntil: z.iso.datetime({ offset: true }).optional(),
  captureUsername: text(),
  rawTopic: text(),
}) satisfies z.ZodType<GuardRequest>;

const credential = z.discriminatedUnion("kind", [
  members({ kind: z.literal("capture"), source: databaseAccess, captureTaskArn: text() }),
  members({ kind: z.literal("writer"), destination: databaseAccess }),
  members({ kind: z.literal("review"), destination: databaseAccess }),
  members({
    kind: z.literal("kafka"),
    clusterArn: text(),
    bootstrapBrokersScram: text(),
    targetEndpointArn: text(),
    captureTaskArn: text(),
  }),
]) satisfies z.ZodType<RotatedCredential>;

const rotate = members({
  action: z.literal("rotate"),
  credential,
  secretArn: text(),
}) satisfies z.ZodType<RotateRequest>;

const schemas = { bootstrap, connections, canary, maintain, guard, rotate };

/** The event was not an {@link OperatorRequest}; nothing was done. */
export class InvalidRequestError extends OperatorError {
  constructor(problems: readonly string[]) {
    super(
      `The request is not valid: ${problems.join("; ")}.`,
      `Send one of the requests of contract/operator.ts, whose actions are ${operatorActions.join(", ")}.`,
    );
    this.name = "InvalidRequestError";
  }
}

/** What an invocation asks for. */
export interface Invocation {
  readonly request: OperatorRequest;
  readonly lifecycle?: Lifecycle["action"];
}

/**
 * Reads the event of an invocation.
 *
 * @throws InvalidRequestError with all that is wrong: unknown actions and members, missing ones, wrong types.
 */
export function parseInvocation(event: unknown): Invocation {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw new InvalidRequestError(["it is no JSON object"]);
  }
  const { [lifecycleKey]: lifecycle, ...request } = event as Record<string, unknown>;
  const action = operatorActions.find((known) => known === request["action"]);
  if (action === undefined) {
    throw new InvalidRequestError([
      `action is ${JSON.stringify(request["action"])}; allowed are ${operatorActions.join(", ")}`,
    ]);
  }
  const result = schemas[action].safeParse(request);
  if (!result.success) throw new InvalidRequestError(result.error.issues.map(describe));
  return { request: result.data, ...(lifecycle === undefined ? {} : { lifecycle: parseLifecycle(lifecycle) }) };
}

function parseLifecycle(value: unknown): Lifecycle["action"] {
  const { data, error } = z.looseObject({ action: z.enum(["create", "update", "delete"]) }).safeParse(value);
  if (error) throw new InvalidRequestError(error.issues.map((issue) => `${lifecycleKey}.${describe(issue)}`));
  return data.action;
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".") || "it";
  if (issue.code === "invalid_value") return `${path} must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "invalid_type") return `${path} must be ${issue.expected}`;
  return `${path} ${issue.message}`;
}
