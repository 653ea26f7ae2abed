import { appendFileSync } from "node:fs";
import { Client, type ClientConfig } from "pg";
import type { DatabaseAccess, OperatorAction } from "../../contract/operator";
import { postgresPort } from "../../contract/ports";
import { type AwsClients, type Credentials, type OperatorContext, Steps } from "../../operator/context";
import { OperatorError } from "../../operator/errors";
import { openUntil } from "../../operator/lambda/connection";

/** What replaces on this machine what the operator finds on AWS. */
export interface LocalOperatorOptions {
  /** In place of Secrets Manager: user and password by the name that requests use as a secret's ARN. */
  readonly secrets: Readonly<Record<string, Credentials>>;
  /** How to reach a database, in place of TLS with a secret's user. Default: host and port of the request, without TLS. */
  readonly connection?: (access: DatabaseAccess) => ClientConfig | undefined;
  /** Called with each log line. */
  readonly writeLine: (line: string) => void;
  /** Milliseconds that the handler may take. Default: 15 minutes, as Lambda allows. */
  readonly timeout?: number;
  /** Ends the handler early when aborted. */
  readonly stop?: AbortSignal;
}

const longestInvocation = 15 * 60_000;

/** Runs a handler of the operator on this machine: plain connections, secrets in memory, no AWS. */
export async function withLocalContext<Result>(
  action: OperatorAction,
  options: LocalOperatorOptions,
  handle: (context: OperatorContext) => Promise<Result>,
): Promise<Result> {
  const deadline = Date.now() + (options.timeout ?? longestInvocation);
  const steps = new Steps(action, deadline, options.writeLine);
  const stop = () => steps.abort(new OperatorError("It was asked to stop.", "Start it again."));
  options.stop?.addEventListener("abort", stop, { once: true });
  const credentials = async (name: string) => {
    const found = options.secrets[name];
    if (!found) {
      throw new OperatorError(`There is no secret ${name}.`, `Use one of ${Object.keys(options.secrets).join(", ")}.`);
    }
    steps.redactor.hide(found.password);
    return found;
  };
  const connection = async (access: DatabaseAccess): Promise<ClientConfig> => {
    const { username, password } = await credentials(access.adminSecretArn);
    const { host, port = postgresPort, database } = access;
    return { host, port, database, user: username, password };
  };
  const context: OperatorContext = {
    deadline,
    signal: steps.signal,
    clients: noAws,
    step: (name, work) => steps.run(name, work),
    credentials,
    hide: (value) => steps.redactor.hide(value),
    kafkaLogin: async () => ({ kind: "none" }),
    connect: async (access) =>
      openUntil(
        new Client({
          ...(options.connection?.(access) ?? (await connection(access))),
          statement_timeout: Math.max(1, deadline - Date.now()),
        }),
        steps.signal,
      ),
    publishMetrics: async (sourceId, values) =>
      options.writeLine(JSON.stringify({ action, metrics: values, source: sourceId })),
  };
  try {
    return await handle(context);
  } finally {
    options.stop?.removeEventListener("abort", stop);
    steps.end();
  }
}

/** Appends log lines to a file. */
export function writeLinesTo(file: string): (line: string) => void {
  return (line) => appendFileSync(file, `${line}\n`);
}

const noAws = new Proxy({} as AwsClients, {
  get(_, client) {
    throw new OperatorError(
      `There is no AWS on this machine, so no client ${String(client)}.`,
      "Use the deployed operator.",
    );
  },
});
