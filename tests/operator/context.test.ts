import fc from "fast-check";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Redactor, Steps } from "../../operator/context";
import { OperatorError, StepError } from "../../operator/errors";
import { parseCredentials } from "../../operator/aws/secrets";

function stepsWithLog(milliseconds = 10_000) {
  const lines: string[] = [];
  const steps = new Steps("maintain", Date.now() + milliseconds, (line) => lines.push(line));
  return { steps, lines, log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

async function failureOf(work: Promise<unknown>): Promise<StepError> {
  const error = await work.then(() => undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StepError);
  return error as StepError;
}

describe("A step", () => {
  it("logs its beginning and its end, and returns what its work does", async () => {
    const { steps, log } = stepsWithLog();
    expect(await steps.run("count", async () => 7)).toBe(7);
    expect(log()).toEqual([
      { action: "maintain", step: "count", event: "begin" },
      { action: "maintain", step: "count", event: "end", outcome: "done", milliseconds: expect.any(Number) },
    ]);
  });

  it("that fails names itself, the reason and the fix, in its error and in the log", async () => {
    const { steps, log } = stepsWithLog();
    const failing = steps.run("connect", () => Promise.reject(new OperatorError("It is closed.", "Open it.")));
    expect(await failureOf(failing)).toMatchObject({
      message: 'maintain failed at "connect": It is closed. Open it.',
      step: "connect",
      reason: "It is closed.",
      fix: "Open it.",
    });
    expect(log()[1]).toMatchObject({ outcome: "failed", reason: "It is closed.", fix: "Open it." });
  });

  it("passes on the hint of PostgreSQL as the fix", async () => {
    const { steps } = stepsWithLog();
    const error = Object.assign(new Error("too large"), { hint: "Pass an identifier." });
    expect((await failureOf(steps.run("write", () => Promise.reject(error)))).message).toBe(
      'maintain failed at "write": too large. Pass an identifier.',
    );
  });

  it("within a step is the one that is named", async () => {
    const { steps } = stepsWithLog();
    const failing = steps.run("outer", () => steps.run("inner", () => Promise.reject(new Error("no"))));
    expect(await failureOf(failing)).toMatchObject({ step: "inner", message: 'maintain failed at "inner": no' });
  });

  it("that is still at work at the deadline fails then, whatever its work does later", async () => {
    const { steps } = stepsWithLog(50);
    const begun = Date.now();
    const { message, step } = await failureOf(
      steps.run("wait", () => sleep(5_000, undefined, { signal: steps.signal })),
    );
    expect(step).toBe("wait");
    expect(message).toContain("It was not done within the 0 s that this invocation had.");
    expect(Date.now() - begun).toBeLessThan(2_000);
    expect(await failureOf(steps.run("next", async () => 1))).toMatchObject({ step: "next" });
  });

  it("ends early for a reason of its own", async () => {
    const { steps } = stepsWithLog();
    const waiting = steps.run("wait", () => new Promise(() => undefined));
    steps.abort(new OperatorError("It was asked to stop.", "Start it again."));
    expect((await failureOf(waiting)).reason).toBe("It was asked to stop.");
  });
});

describe("A password", () => {
  it("that a step has read appears neither in its log nor in its error, in whichever form", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 8, unit: "grapheme" }), async (password) => {
        const { steps, lines } = stepsWithLog();
        steps.redactor.hide(password);
        const told = [password, JSON.stringify({ password }), `postgres://u:${encodeURIComponent(password)}@h/d`];
        const error = await failureOf(steps.run("connect", () => Promise.reject(new Error(told.join(" ")))));
        steps.end();
        for (const text of [...lines, error.message, error.reason, String(error.stack)]) {
          expect(text).not.toContain(password);
          expect(text).not.toContain(encodeURIComponent(password));
        }
      }),
    );
  });

  it("that is empty hides nothing", () => {
    const redactor = new Redactor();
    redactor.hide("");
    expect(redactor.redact("text")).toBe("text");
  });
});

describe("A secret", () => {
  it("is read as a user name and a password, whatever else it holds", () => {
    expect(parseCredentials('{"username": "u", "password": "p", "host": "h"}', "arn")).toEqual({
      username: "u",
      password: "p",
    });
  });

  it.each([
    ["nothing", undefined, "Secret arn does not hold JSON."],
    ["plain text", "hunter2", "Secret arn does not hold JSON."],
    ["null", "null", 'Secret arn has no text "username".'],
    ["no password", '{"username": "hunter2"}', 'Secret arn has no text "password".'],
    ["an empty password", '{"username": "u", "password": ""}', 'Secret arn has no text "password".'],
    ["a password that is no text", '{"username": "u", "password": 1}', 'Secret arn has no text "password".'],
  ])("with %s is refused, and what it holds is not told", (_, text, message) => {
    expect(() => parseCredentials(text, "arn")).toThrow(message);
    expect(() => parseCredentials(text, "arn")).not.toThrow(/hunter2/);
  });
});
