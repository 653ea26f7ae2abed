import { type AwsStub } from "aws-sdk-client-mock";
import { expect, vi } from "vitest";
import type { OperatorAction } from "../../../contract/operator";
import { operatorPermissions } from "../../../contract/operator-permissions";
import { awsClients } from "../../../operator/aws/clients";
import { type OperatorContext, Steps } from "../../../operator/context";

export interface TestContext {
  readonly context: OperatorContext;
  /** What was logged, one JSON object a line. */
  readonly lines: string[];
}

/** A context whose AWS clients are mocked by the test, with the product's own steps, log and deadline. */
export function testContext(
  action: OperatorAction,
  overrides: Partial<OperatorContext> = {},
  seconds: number = 900,
): TestContext {
  const lines: string[] = [];
  const steps = new Steps(action, Date.now() + seconds * 1000, (line) => lines.push(line));
  const unexpected = (what: string) => () => Promise.reject(new Error(`This test expects no ${what}.`));
  const context: OperatorContext = {
    deadline: steps.deadline,
    signal: steps.signal,
    clients: awsClients({ region: "eu-central-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } }),
    step: (name, work) => steps.run(name, work),
    hide: (value) => steps.redactor.hide(value),
    credentials: unexpected("credentials"),
    connect: unexpected("connection to a database"),
    kafkaLogin: () => Promise.resolve({ kind: "none" }),
    publishMetrics: unexpected("metrics"),
    ...overrides,
  };
  return { context, lines };
}

/** Lets time jump to whatever is waited for next, until the work under test is done. Needs fake timers. */
export async function passingTime<Result>(work: Promise<Result>): Promise<Result> {
  let done = false;
  work.then(
    () => (done = true),
    () => (done = true),
  );
  while (!done) await vi.advanceTimersToNextTimerAsync();
  return work;
}

/** An error as an AWS client throws it. */
export function awsError(name: string, message: string = name): Error {
  return Object.assign(new Error(message), { name, $fault: "client" });
}

type AnyStub = AwsStub<never, never, never>;

/** Every command that went through these mocks is one that the action's role may send. */
export function expectPermitted(action: OperatorAction, stubs: Readonly<Record<string, unknown>>): void {
  const permitted = new Set(operatorPermissions[action].flatMap(({ actions }) => actions));
  const sent = Object.entries(stubs).flatMap(([service, stub]) =>
    (stub as AnyStub).calls().map(({ args }) => `${service}:${commandName(args[0])}`),
  );
  expect([...new Set(sent)].filter((call) => !permitted.has(call))).toEqual([]);
}

function commandName(command: object): string {
  return command.constructor.name.replace(/Command$/, "");
}
