import { ModifyEndpointCommand, StopReplicationTaskCommand } from "@aws-sdk/client-database-migration-service";
import { PutSecretValueCommand, UpdateSecretVersionStageCommand } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DatabaseAccess, RotatedCredential, RotateRequest } from "../../../contract/operator";
import { rotate } from "../../../operator/handlers/rotate";
import type * as kafkaAdmin from "../../../operator/kafka/admin";
import { awsError, expectPermitted, passingTime, testContext } from "../support/operator-world";
import { dms, RotationWorld, secretsManager } from "../support/rotation-world";

const brokers = vi.hoisted(() => ({ world: undefined as RotationWorld | undefined, asked: [] as string[] }));

vi.mock("../../../operator/kafka/admin", async (importOriginal) => {
  const actual = await importOriginal<typeof kafkaAdmin>();
  return {
    ...actual,
    withKafkaAdmin: async (
      { bootstrapServers, login }: kafkaAdmin.KafkaConnection,
      work: (admin: { logIn(): Promise<void> }) => Promise<void>,
    ) => {
      brokers.asked.push(bootstrapServers);
      return work({
        logIn: async () =>
          brokers.world!.call(() => {
            if (login.kind !== "scram") throw new Error("The brokers take SCRAM alone.");
            if (!brokers.world!.brokersAccept(login.password)) {
              throw new actual.KafkaLoginError("SASL authentication failed.", bootstrapServers, new Error());
            }
          }),
      });
    },
  };
});

const secretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:AmazonMSK_user-AbCdEf";
const captureTaskArn = "arn:aws:dms:eu-central-1:123456789012:task:TASK";
const database: DatabaseAccess = { host: "db.example", database: "app", adminSecretArn: "arn:admin" };
const oldPassword = "TheOldPassword0123456789";

const credentials = {
  capture: { kind: "capture", source: database, captureTaskArn },
  writer: { kind: "writer", destination: database },
  review: { kind: "review", destination: database },
  kafka: {
    kind: "kafka",
    clusterArn: "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5",
    bootstrapBrokersScram: "b-1.example:9096,b-2.example:9096",
    targetEndpointArn: "arn:aws:dms:eu-central-1:123456789012:endpoint:TARGET",
    captureTaskArn,
  },
} as const satisfies Record<RotatedCredential["kind"], RotatedCredential>;

const usernames = {
  capture: "cdc_capture",
  writer: "audit_writer",
  review: "audit_review",
  kafka: "change-capture",
} as const;
const kinds = ["capture", "writer", "review", "kafka"] as const;
type Kind = (typeof kinds)[number];

beforeEach(() => {
  vi.useFakeTimers();
  brokers.asked = [];
});

afterEach(() => {
  expectPermitted("rotate", { dms, secretsmanager: secretsManager });
  vi.useRealTimers();
});

function worldFor(kind: Kind, taskStatus?: string): RotationWorld {
  return (brokers.world = new RotationWorld(usernames[kind], oldPassword, taskStatus));
}

function run(world: RotationWorld, kind: Kind) {
  const request: RotateRequest = { action: "rotate", credential: credentials[kind], secretArn };
  const { context, lines } = testContext("rotate", {
    connect: (access) => world.connect(access.adminSecretArn === secretArn),
  });
  return { report: passingTime(rotate(request, context)), lines };
}

/** Whether DMS logs in with it. */
function concernsTask(kind: Kind): boolean {
  return kind === "capture" || kind === "kafka";
}

/** Everyone who uses the credential has the same new password, and nothing is left to do. */
function expectRotated(world: RotationWorld, kind: Kind): void {
  const { username, password, host } = world.currentSecret();
  expect({ username, host }).toEqual({ username: usernames[kind], host: "db.example" });
  expect(password).toMatch(/^[A-Za-z0-9]{40}$/);
  expect(world.labels()).toEqual(["AWSCURRENT"]);
  if (kind === "kafka") {
    expect(world.brokersAccept(password)).toBe(true);
    expect(world.endpointPassword).toBe(password);
  } else {
    expect(world.roleAccepts(password)).toBe(true);
    expect(world.roleAccepts(oldPassword)).toBe(false);
  }
  if (concernsTask(kind)) {
    expect(world.taskStatus).toBe("running");
    expect(world.taskPassword).toBe(password);
  }
}

describe.each(kinds)("rotating the %s password", (kind) => {
  it("gives the same new one to everybody who uses it", async () => {
    const world = worldFor(kind);
    expect(await run(world, kind).report).toEqual({
      credential: kind,
      resumed: false,
      task: concernsTask(kind) ? "restarted" : "not concerned",
    });
    expectRotated(world, kind);
  });

  it("shows neither password in the log, nor in a statement", async () => {
    const world = worldFor(kind);
    const { report, lines } = run(world, kind);
    await report;
    const shown = [...lines, ...world.statements].join("\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(shown).not.toContain(oldPassword);
    expect(shown).not.toContain(world.currentSecret().password);
  });

  it("hides the password in an error that quotes it", async () => {
    const world = worldFor(kind);
    const { report, lines } = run(world, kind);
    secretsManager.on(UpdateSecretVersionStageCommand).callsFake(() => {
      const { SecretString: text } = secretsManager.commandCalls(PutSecretValueCommand)[0]!.args[0].input;
      throw new Error(`Malformed request: ${text}`);
    });
    const error = await report.then(
      () => new Error("It succeeded."),
      (failure: Error) => failure,
    );
    expect(error.message).toContain("Malformed request");
    expect(error.message + lines.join()).toContain("[hidden]");
    expect(error.message + lines.join()).not.toMatch(/"password\W+[A-Za-z0-9]{40}/);
  });

  it("is completed by a second run, wherever the first was broken off", { timeout: 30_000 }, async () => {
    const undisturbed = worldFor(kind);
    await run(undisturbed, kind).report;
    const calls = undisturbed.calls;
    expect(calls).toBeGreaterThan(10);
    for (const carriedOut of [false, true]) {
      for (let call = 1; call <= calls; call++) {
        const world = worldFor(kind);
        world.breakOff = { call, carriedOut };
        const first = await run(world, kind).report.then(
          () => "done",
          (error: Error) => error.message,
        );
        // A look that is repeated anyway may outlive the break.
        if (first !== "done") expect(first, `call ${call}`).toContain("The process died.");
        world.breakOff = undefined;
        await run(world, kind).report;
        expectRotated(world, kind);
      }
    }
  });

  it("goes on with the password that a broken run had begun with, rather than make a third", async () => {
    const world = worldFor(kind);
    world.breakOff = { call: 6, carriedOut: true };
    await run(world, kind).report.catch(() => undefined);
    world.breakOff = undefined;
    expect(await run(world, kind).report).toMatchObject({ resumed: true });
    expect(world.versionCount()).toBe(2);
    expectRotated(world, kind);
  });

  it("makes another password each time", async () => {
    const world = worldFor(kind);
    await run(world, kind).report;
    const first = world.currentSecret().password;
    await run(world, kind).report;
    expect(world.currentSecret().password).not.toBe(first);
    expectRotated(world, kind);
  });

  it("touches nothing when somebody else rotates the secret", async () => {
    const world = worldFor(kind);
    world.rotationEnabled = true;
    await expect(run(world, kind).report).rejects.toThrow(/is rotated by arn:aws:lambda.*cancel-rotate-secret/);
    expect(world.versionCount()).toBe(1);
    expect(world.taskStatus).toBe("running");
  });

  it("says so when AWS is too busy for every attempt", async () => {
    const world = worldFor(kind);
    secretsManager.on(PutSecretValueCommand).rejects(awsError("ThrottlingException", "Rate exceeded"));
    await expect(run(world, kind).report).rejects.toThrow(/AWS does not answer .*Rate exceeded.*Run it again/);
    expect(world.currentSecret().password).toBe(oldPassword);
  });
});

describe("the secret of a rotation", () => {
  it("is refused before anything is written when it is another user's", async () => {
    const world = (brokers.world = new RotationWorld("postgres", oldPassword));
    await expect(run(world, "capture").report).rejects.toThrow("is that of the user postgres, not of cdc_capture");
    expect(world.versionCount()).toBe(1);
    expect(world.statements).toEqual([]);
  });
});

describe("a role's password", () => {
  it("is forgotten again by the database when the secret can't be promoted", async () => {
    const world = worldFor("writer");
    secretsManager.on(UpdateSecretVersionStageCommand).rejects(awsError("AccessDeniedException", "not authorized"));
    await expect(run(world, "writer").report).rejects.toThrow(/set the password of audit_writer.*not authorized/);
    expect(world.roleAccepts(oldPassword)).toBe(true);
    expect(world.currentSecret().password).toBe(oldPassword);
    expect(world.statements.at(-1)).toBe("ROLLBACK");
  });

  it("is promoted though AWS lost the answer of the first attempt", async () => {
    const world = worldFor("writer");
    const label = "The label is elsewhere.";
    secretsManager
      .on(UpdateSecretVersionStageCommand, { VersionStage: "AWSCURRENT" })
      .rejectsOnce(awsError("InvalidParameterException", label))
      .callsFake((input: { MoveToVersionId: string; RemoveFromVersionId: string }) =>
        world.moveStage("AWSCURRENT", input.RemoveFromVersionId, input.MoveToVersionId),
      );
    await run(world, "writer").report;
    expectRotated(world, "writer");
  });
});

describe("the task that reads the password", () => {
  it.each(["capture", "kafka"] as const)(
    "is left alone by a %s rotation when somebody had stopped it",
    async (kind) => {
      const world = worldFor(kind, "stopped");
      expect(await run(world, kind).report).toMatchObject({ task: "left as it was" });
      expect(world.taskStarts).toEqual([]);
      if (kind === "kafka") expect(world.endpointPassword).toBe(world.currentSecret().password);
    },
  );

  it("is started when it had failed, perhaps for the old password", async () => {
    const world = worldFor("capture", "failed");
    expect(await run(world, "capture").report).toMatchObject({ task: "restarted" });
    expectRotated(world, "capture");
  });

  it("goes on where it was: nothing is read anew", async () => {
    const world = worldFor("capture");
    await run(world, "capture").report;
    expect(world.taskStarts).toEqual(["resume-processing"]);
  });

  it("is stopped for the Kafka password only once every broker takes it", async () => {
    const world = worldFor("kafka");
    await run(world, "kafka").report;
    expect(new Set(brokers.asked)).toEqual(new Set(["b-1.example:9096", "b-2.example:9096"]));
    const [stop] = dms.commandCalls(StopReplicationTaskCommand);
    const [modify] = dms.commandCalls(ModifyEndpointCommand);
    expect(stop!.firstArg).toBeInstanceOf(StopReplicationTaskCommand);
    expect(brokers.asked.length).toBeGreaterThan(3);
    expect(stop!.calledBefore(modify!)).toBe(true);
    expect(modify!.args[0].input).toMatchObject({ EngineName: "kafka", ExactSettings: false });
  });

  it("keeps running when the brokers never take the new password", async () => {
    const world = worldFor("kafka");
    world.brokersAccept = () => false;
    await expect(run(world, "kafka").report).rejects.toThrow(
      /Broker b-1\.example:9096 does not take the new password yet, after \d+ s.*it continues here/,
    );
    expect(world.taskStatus).toBe("running");
    expect(world.taskPassword).toBe(oldPassword);
    expect(world.endpointPassword).toBe(oldPassword);
  });
});
