import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import type { KafkaClient } from "@aws-sdk/client-kafka";
import type { KafkaConnectClient } from "@aws-sdk/client-kafkaconnect";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Client } from "pg";
import type { DatabaseAccess, OperatorAction } from "../contract/operator";
import type { OperatorMetric } from "../contract/operator-metrics";
import { DeadlineError, OperatorError, StepError } from "./errors";
import type { KafkaLogin } from "./kafka/admin";

/** The clients of the AWS services that the operator calls. */
export interface AwsClients {
  readonly dms: DatabaseMigrationServiceClient;
  readonly kafka: KafkaClient;
  readonly kafkaConnect: KafkaConnectClient;
  readonly secretsManager: SecretsManagerClient;
  readonly cloudWatch: CloudWatchClient;
}

/** A user name and its password. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What a handler has around it: time, a log, and ways to reach databases and AWS. */
export interface OperatorContext {
  /** When the handler must have ended, in milliseconds since 1970. */
  readonly deadline: number;
  /** Aborted at the deadline. */
  readonly signal: AbortSignal;
  /** AWS clients, each built at its first use. Without AWS, using one throws. */
  readonly clients: AwsClients;
  /**
   * Does one step and logs its beginning and end, one JSON line each. Its error says which step failed. A step that is
   * still running at the deadline fails with {@link DeadlineError}.
   */
  step<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** User name and password of a secret. From then on, no log line or error of this context shows the password. */
  credentials(secretArn: string): Promise<Credentials>;
  /** Keeps a text out of log lines and errors from now on, such as a password that was just made. */
  hide(value: string): void;
  /** A connection as the administrator of a database, over verified TLS. The caller ends it; so does the deadline. */
  connect(access: DatabaseAccess): Promise<Client>;
  /** How to log in to Kafka as its administrator: MSK with IAM; on one machine the plain listener. */
  kafkaLogin(): Promise<KafkaLogin>;
  /** Publishes values of one pipeline to CloudWatch; does nothing where there is no CloudWatch. */
  publishMetrics(sourceId: string, values: Partial<Record<OperatorMetric, number>>): Promise<void>;
}

/** Where a context writes: one JSON object a line. */
export type WriteLine = (line: string) => void;

/** The values that must not be shown. */
export class Redactor {
  private readonly hidden = new Set<string>();

  hide(value: string): void {
    if (value !== "") this.hidden.add(value);
  }

  /** The text without hidden values, also where they are written as in JSON or a URL. */
  redact(text: string): string {
    let redacted = text;
    for (const value of this.hidden) {
      for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) {
        redacted = redacted.replaceAll(form, "[hidden]");
      }
    }
    return redacted;
  }
}

/** The part of a context that is the same on AWS and on one machine: steps, their log, and the deadline. */
export class Steps {
  private readonly begun = Date.now();
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly redactor = new Redactor();

  constructor(
    private readonly action: OperatorAction,
    readonly deadline: number,
    private readonly writeLine: WriteLine,
  ) {
    this.timer = setTimeout(() => this.controller.abort(this.deadlineError()), Math.max(0, deadline - Date.now()));
    this.timer.unref();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ends the steps before the deadline, for another reason. */
  abort(reason: OperatorError): void {
    this.controller.abort(reason);
  }

  /** Stops the clock. */
  end(): void {
    clearTimeout(this.timer);
  }

  async run<Result>(step: string, work: () => Promise<Result>): Promise<Result> {
    const begun = Date.now();
    this.log({ step, event: "begin" });
    try {
      const result = await this.beforeDeadline(work);
      this.log({ step, event: "end", outcome: "done", milliseconds: Date.now() - begun });
      return result;
    } catch (error) {
      const failure = this.failure(step, error);
      this.log({
        step,
        event: "end",
        outcome: "failed",
        milliseconds: Date.now() - begun,
        reason: failure.reason,
        ...(failure.fix === undefined ? {} : { fix: failure.fix }),
      });
      throw failure;
    }
  }

  private async beforeDeadline<Result>(work: () => Promise<Result>): Promise<Result> {
    this.signal.throwIfAborted();
    const { promise: deadline, reject } = Promise.withResolvers<never>();
    const expire = () => reject(this.signal.reason);
    this.signal.addEventListener("abort", expire, { once: true });
    try {
      return await Promise.race([work(), deadline]);
    } catch (error) {
      // The abort makes the work fail with some other error; the deadline is the reason.
      throw this.signal.aborted ? this.signal.reason : error;
    } finally {
      this.signal.removeEventListener("abort", expire);
    }
  }

  /** The error of an inner step already names that step. */
  private failure(step: string, error: unknown): StepError {
    if (error instanceof StepError) return error;
    const reason = this.redactor.redact(error instanceof Error ? error.message : String(error));
    return new StepError(this.action, step, reason, fixOf(error));
  }

  private deadlineError(): DeadlineError {
    return new DeadlineError(this.deadline - this.begun);
  }

  private log(entry: object): void {
    this.writeLine(this.redactor.redact(JSON.stringify({ action: this.action, ...entry })));
  }
}

/** The fix that an error carries: ours do, and PostgreSQL's errors with a hint. */
function fixOf(error: unknown): string | undefined {
  if (error instanceof OperatorError) return error.fix;
  const hint = (error as { hint?: unknown } | undefined)?.hint;
  return typeof hint === "string" ? hint : undefined;
}
