import type { Client } from "pg";
import type { DatabaseAccess, OperatorAction } from "../../../contract/operator";
import { withLocalContext } from "../../../local/parts/operator-context";
import type { OperatorContext } from "../../../operator/context";
import type { Credentials } from "../../../operator/context";
import { superuser, type TestServer } from "../../../local/servers/test-server";

/** A secret's name for the superuser of every test server. */
export const superuserSecret = "test/superuser";

/** What the operator needs to reach a database of a test server as its superuser. */
export function accessTo(server: TestServer, database: string): DatabaseAccess {
  return { host: "127.0.0.1", port: server.port, database, adminSecretArn: superuserSecret };
}

export interface Operation<Result> {
  /** Undefined when it failed. */
  readonly result: Result | undefined;
  /** Undefined when it was done. */
  readonly error: (Error & { step?: string; reason?: string; fix?: string }) | undefined;
  /** What it logged, line by line. */
  readonly log: readonly string[];
  /** What it published, in order. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
}

export interface OperationOptions {
  readonly secrets?: Readonly<Record<string, Credentials>>;
  /** In place of a connection of its own. */
  readonly connect?: (access: DatabaseAccess) => Promise<Client> | undefined;
  /** Milliseconds. Default a minute. */
  readonly timeout?: number;
}

/** Runs a handler as the local pipeline does, and tells all that it left behind. */
export async function operate<Result>(
  action: OperatorAction,
  options: OperationOptions,
  handle: (context: OperatorContext) => Promise<Result>,
): Promise<Operation<Result>> {
  const log: string[] = [];
  const metrics: Record<string, number>[] = [];
  const run = withLocalContext(
    action,
    {
      secrets: { [superuserSecret]: { username: superuser.user, password: superuser.password }, ...options.secrets },
      writeLine: (line) => log.push(line),
      timeout: options.timeout ?? 60_000,
    },
    (context) =>
      handle({
        ...context,
        connect: (access) => options.connect?.(access) ?? context.connect(access),
        publishMetrics: async (_, values) => void metrics.push(values),
      }),
  );
  const [outcome] = await Promise.allSettled([run]);
  return outcome.status === "fulfilled"
    ? { result: outcome.value, error: undefined, log, metrics }
    : { result: undefined, error: outcome.reason as Error, log, metrics };
}
