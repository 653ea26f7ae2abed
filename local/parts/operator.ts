import { databaseRoles } from "../../contract/database-roles";
import type { CanaryRequest, DatabaseAccess, OperatorAction, TableLoad } from "../../contract/operator";
import { postgresPort } from "../../contract/ports";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { Credentials, OperatorContext } from "../../operator/context";
import type { TableToWatch } from "../../operator/database/watch-tables";
import { bootstrap, type BootstrapResult } from "../../operator/handlers/bootstrap";
import { canary, type CanaryReport, type Diagnosis } from "../../operator/handlers/canary/canary";
import { maintain, type MaintainResult } from "../../operator/handlers/maintain";
import { withLocalContext, writeLinesTo } from "./operator-context";
import type { Passwords } from "../servers/passwords";
import type { superuserConnection } from "../servers/postgres";

type SuperuserConnection = ReturnType<typeof superuserConnection>;

/** The databases that the operator works on, and how it gets in. */
export interface PipelineOperatorOptions {
  readonly sourceId: string;
  /** The sample database, audited unless there is a `source`. */
  readonly sample: SuperuserConnection;
  /** Where the audit log is. */
  readonly destination: SuperuserConnection;
  /** The user's own database, audited in place of the sample: a connection URL. */
  readonly source?: string;
  /** Ends every action early when aborted. */
  readonly stop?: AbortSignal;
  readonly passwords: Passwords;
  readonly logFile: string;
}

/** Names of secrets, where a deployment has ARNs. */
const administratorSecret = "local/administrator";
const sourceAdministratorSecret = "local/source-administrator";
const captureSecret = "local/cdc_capture";
/** Name of the sink's secret. */
export const writerSecret = "local/audit_writer";
const reviewSecret = "local/audit_review";

/** Everything runs when the canary is sent: a minute is plenty. */
const canaryTimeoutSeconds = 60;
/** Milliseconds. A person who starts the pipeline waits for the canary, and this database has nothing else to do. */
const canaryPollInterval = 25;

/** What the sink signs in with. */
export function writerLogin(passwords: Passwords): Credentials {
  return { username: databaseRoles.writer, password: passwords.writer };
}

/** The operator's actions over a local pipeline, as a deployment invokes them. */
export class PipelineOperator {
  constructor(private readonly options: PipelineOperatorOptions) {}

  /** Installs capture in the source and the audit log in the destination. */
  async bootstrap(tables: readonly TableToWatch[], actorSources?: readonly string[]): Promise<BootstrapResult> {
    return this.operate("bootstrap", (context) =>
      bootstrap(
        {
          action: "bootstrap",
          source: { ...this.sourceAccess, captureSecretArn: captureSecret, tables, actorSources },
          destination: {
            ...accessTo(this.options.destination),
            writerSecretArn: writerSecret,
            reviewSecretArn: reviewSecret,
          },
        },
        context,
      ),
    );
  }

  /** Makes partitions, and signals what each table looks like. */
  async maintain(): Promise<MaintainResult> {
    return this.operate("maintain", (context) => maintain({ action: "maintain", ...this.databases }, context));
  }

  /**
   * Sends a row through every part of the pipeline and waits for it; `diagnose` says where one stopped. Then tells the log of
   * the full loads that have ended.
   */
  async canary(
    kafka: CanaryRequest["kafka"],
    diagnose: (kafka: CanaryRequest["kafka"], writtenAt: Date) => Promise<Diagnosis>,
    tableLoads: () => readonly TableLoad[],
    options: { readonly stop?: AbortSignal; readonly timeoutSeconds?: number },
  ): Promise<CanaryReport> {
    const { stop, timeoutSeconds = canaryTimeoutSeconds } = options;
    const request: CanaryRequest = {
      action: "canary",
      ...this.databases,
      captureTaskArn: "local/dms-stand-in",
      kafka,
      connectorArn: `local/${sinkConnectorName}`,
    };
    return this.operate(
      "canary",
      (context) =>
        canary(
          { ...request, timeoutSeconds },
          context,
          {
            diagnose: (asked, _, writtenAt) => diagnose(asked.kafka, writtenAt),
            tableLoads: async () => tableLoads(),
          },
          { pollInterval: canaryPollInterval },
        ),
      stop,
    );
  }

  private get databases() {
    const { sourceId, destination } = this.options;
    return { sourceId, source: this.sourceAccess, destination: accessTo(destination) };
  }

  private get sourceAccess(): DatabaseAccess {
    const { source, sample } = this.options;
    if (!source) return accessTo(sample);
    const { hostname, port, pathname } = new URL(source);
    return {
      host: hostname,
      port: Number(port || postgresPort),
      database: decodeURIComponent(pathname.slice(1)),
      adminSecretArn: sourceAdministratorSecret,
    };
  }

  private get secrets(): Readonly<Record<string, Credentials>> {
    const { sample, passwords } = this.options;
    return {
      [administratorSecret]: { username: sample.user, password: passwords.superuser },
      [captureSecret]: { username: databaseRoles.capture, password: passwords.capture },
      [writerSecret]: writerLogin(passwords),
      [reviewSecret]: { username: databaseRoles.review, password: passwords.review },
    };
  }

  private operate<Result>(
    action: OperatorAction,
    handle: (context: OperatorContext) => Promise<Result>,
    stop = this.options.stop,
  ): Promise<Result> {
    return withLocalContext(
      action,
      {
        secrets: this.secrets,
        // The user's own URL may say more than host and password.
        connection: ({ adminSecretArn }) =>
          adminSecretArn === sourceAdministratorSecret ? { connectionString: this.options.source } : undefined,
        writeLine: writeLinesTo(this.options.logFile),
        ...(stop ? { stop } : {}),
      },
      handle,
    );
  }
}

function accessTo({ host, port, database }: SuperuserConnection): DatabaseAccess {
  return { host, port, database, adminSecretArn: administratorSecret };
}
