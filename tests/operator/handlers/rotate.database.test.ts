import { UpdateSecretVersionStageCommand } from "@aws-sdk/client-secrets-manager";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RotatedCredential } from "../../../contract/operator";
import { rotate } from "../../../operator/handlers/rotate";
import { awsError, expectPermitted, testContext } from "../support/operator-world";
import { dms, RotationWorld, secretsManager } from "../support/rotation-world";
import { type DatabaseClient, errorOf, TestServer } from "../../../local/servers/test-server";

// The database is real. Secrets Manager and DMS behave as in the unit tests, which break off at every call.
const oldPassword = "TheOldPassword0123456789";
const secretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:writer-AbCdEf";
const administrator = { user: "keeper", password: "keeper-password" };
const said: string[] = [];

let server: TestServer;
let database: DatabaseClient;
let world: RotationWorld;

beforeAll(async () => {
  server = await TestServer.start();
  database = await server.createDatabase();
  // As on Aurora: no superuser, but the one who made the roles.
  await database.query("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'keeper-password'");
  const keeper = await connect(administrator);
  await keeper.query("CREATE ROLE audit_writer LOGIN CONNECTION LIMIT 7");
  await keeper.query("CREATE ROLE cdc_capture LOGIN");
  await keeper.end();
});

afterAll(() => server.stop());

// Other files of this worker call the real client.
afterAll(() => {
  dms.restore();
  secretsManager.restore();
});

beforeEach(async () => {
  await database.query("SET log_statement = 'none'");
  for (const role of ["audit_writer", "cdc_capture"]) {
    await database.query(`ALTER ROLE ${role} PASSWORD '${oldPassword}'`);
  }
  world = new RotationWorld("audit_writer", oldPassword);
});

function connect(login: { user: string; password: string }): Promise<Client> {
  return server.connect({ database: database.database, ...login });
}

function loginAs(user: string, password: string): Promise<string> {
  return connect({ user, password }).then(
    async (client) => {
      await client.end();
      return "let in";
    },
    (error: { code?: string }) => error.code ?? "failed",
  );
}

async function run(kind: "writer" | "capture" = "writer") {
  const access = { host: "127.0.0.1", port: server.port, database: database.database, adminSecretArn: "arn:admin" };
  const credential: RotatedCredential =
    kind === "writer"
      ? { kind, destination: access }
      : { kind, source: access, captureTaskArn: "arn:aws:dms:eu-central-1:123456789012:task:TASK" };
  const { context, lines } = testContext("rotate", {
    connect: ({ adminSecretArn }) => {
      const { username: user, password } = world.currentSecret();
      return connect(adminSecretArn === secretArn ? { user, password } : administrator);
    },
  });
  try {
    return await rotate({ action: "rotate", credential, secretArn }, context);
  } finally {
    said.push(...lines, world.currentSecret().password);
    expectPermitted("rotate", { dms, secretsmanager: secretsManager });
  }
}

describe("rotating a role's password in a real database", () => {
  test("shuts the old one out, lets the new one in and changes nothing else about the role", async () => {
    expect(await run()).toEqual({ credential: "writer", resumed: false, task: "not concerned" });
    expect(await loginAs("audit_writer", world.currentSecret().password)).toBe("let in");
    expect(await loginAs("audit_writer", oldPassword)).toBe("28P01");
    const { rows } = await database.query(
      "SELECT rolcanlogin, rolconnlimit, rolsuper FROM pg_roles WHERE rolname = 'audit_writer'",
    );
    expect(rows).toEqual([{ rolcanlogin: true, rolconnlimit: 7, rolsuper: false }]);
  });

  test("leaves connections that are open at work", async () => {
    const open = await connect({ user: "audit_writer", password: oldPassword });
    await run();
    expect((await open.query("SELECT current_user AS name")).rows).toEqual([{ name: "audit_writer" }]);
  });

  test("keeps the old one in force when the secret can't be promoted", async () => {
    secretsManager.on(UpdateSecretVersionStageCommand).rejects(awsError("AccessDeniedException", "not authorized"));
    const { message } = await errorOf(run());
    expect(message).toContain("not authorized");
    expect(await loginAs("audit_writer", oldPassword)).toBe("let in");
    expect(world.currentSecret().password).toBe(oldPassword);
  });

  test("is completed by the next run when the connection dies between the promotion and the commit", async () => {
    secretsManager
      .on(UpdateSecretVersionStageCommand, { VersionStage: "AWSCURRENT" })
      .callsFake(async (input: { MoveToVersionId: string; RemoveFromVersionId: string }) => {
        world.moveStage("AWSCURRENT", input.RemoveFromVersionId, input.MoveToVersionId);
        await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'");
      });
    await errorOf(run());
    const promised = world.currentSecret().password;
    expect(promised).not.toBe(oldPassword);
    expect(await loginAs("audit_writer", promised)).toBe("28P01");

    expect(await run()).toMatchObject({ resumed: true });
    expect(world.currentSecret().password).toBe(promised);
    expect(await loginAs("audit_writer", promised)).toBe("let in");
    expect(world.labels()).toEqual(["AWSCURRENT"]);
  });

  test("does the same for DMS's role, and leaves a task alone that somebody had stopped", async () => {
    world = new RotationWorld("cdc_capture", oldPassword, "stopped");
    expect(await run("capture")).toMatchObject({ task: "left as it was" });
    expect(await loginAs("cdc_capture", world.currentSecret().password)).toBe("let in");
    expect(world.taskStarts).toEqual([]);
  });

  test("shows no password to the server's log, which has every statement, nor to the operator's", () => {
    const passwords = said.filter((text) => /^[A-Za-z0-9]{40}$/.test(text));
    const lines = said.filter((text) => text.startsWith("{"));
    expect(passwords.length).toBeGreaterThan(3);
    expect(server.log).toContain('ALTER ROLE "audit_writer" LOGIN PASSWORD \'SCRAM-SHA-256$');
    for (const password of passwords) {
      expect(server.log).not.toContain(password);
      expect(lines.join("\n")).not.toContain(password);
    }
  });
});
