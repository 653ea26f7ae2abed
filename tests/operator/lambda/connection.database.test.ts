import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { X509Certificate } from "node:crypto";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { databaseRoles } from "../../../contract/database-roles";
import { awsClients } from "../../../operator/aws/clients";
import { rdsAuthorities } from "../../../operator/lambda/certificates";
import { StepError } from "../../../operator/errors";
import { bootstrap } from "../../../operator/handlers/bootstrap";
import { maintain } from "../../../operator/handlers/maintain";
import { withLambdaContext } from "../../../operator/lambda/lambda-context";
import { superuser, TestServer } from "../../../local/servers/test-server";

const secretsManager = mockClient(SecretsManagerClient);
const cloudWatch = mockClient(CloudWatchClient);

// Other files of this worker call the real client.
afterAll(() => {
  secretsManager.restore();
  cloudWatch.restore();
});
/** Quick to give up: what is tested is what is made of the errors. */
const clients = awsClients({ region: "eu-central-1", credentials: { accessKeyId: "none", secretAccessKey: "none" } });

const secrets: Record<string, string> = {
  admin: JSON.stringify({ username: superuser.user, password: superuser.password }),
  capture: JSON.stringify({ username: databaseRoles.capture, password: "capture-password" }),
  writer: JSON.stringify({ username: databaseRoles.writer, password: "writer-password" }),
};

let folder: string;
let server: TestServer;
let trusted: SecureContext;
const lines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cdc-audit-tls-"));
  chmodSync(folder, 0o755);
  makeCertificates(folder);
  trusted = createSecureContext({ ca: readFileSync(join(folder, "authority.pem")) });
  server = await TestServer.start();
  await encrypt(server, folder);
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  lines.length = 0;
  secretsManager.reset();
  cloudWatch.reset();
  secretsManager.on(GetSecretValueCommand).callsFake(({ SecretId }: { SecretId: string }) => {
    const SecretString = secrets[SecretId];
    if (SecretString === undefined) {
      throw new ResourceNotFoundException({ message: "Secrets Manager can't find it.", $metadata: {} });
    }
    return { SecretString };
  });
  cloudWatch.on(PutMetricDataCommand).resolves({});
});

/** The name `localhost` is in the server's certificate, the address is not. */
const access = (changes: { host?: string; adminSecretArn?: string; database?: string } = {}) => ({
  host: "localhost",
  port: server.port,
  database: "postgres",
  adminSecretArn: "admin",
  ...changes,
});

function connectAs(changes: Parameters<typeof access>[0], trust: SecureContext | undefined = trusted): Promise<string> {
  return withLambdaContext(
    {
      action: "maintain",
      deadline: Date.now() + 30_000,
      clients,
      writeLine: (line) => lines.push(line),
      ...(trust ? { trusted: trust } : {}),
    },
    async (context) => {
      const client = await context.step("connect", () => context.connect(access(changes)));
      const { rows } = await client.query<{ version: string }>(
        "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
      );
      await client.end();
      return rows[0]!.version;
    },
  );
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StepError);
  return (error as StepError).message;
}

describe("A connection of the Lambda function", () => {
  it("is encrypted, to a server whose certificate a trusted authority signed for its name", async () => {
    expect(await connectAs({})).toMatch(/^TLSv1\.[23]$/);
  });

  it("is refused when the certificate is for another name", async () => {
    expect(await refusalOf(connectAs({ host: "127.0.0.1" }))).toMatch(/is for another name .* cluster's own endpoint/);
  });

  it("is refused when another authority signed it: by itself it trusts those of Amazon RDS alone", async () => {
    const message = await refusalOf(
      withLambdaContext(
        { action: "maintain", deadline: Date.now() + 30_000, clients, writeLine: () => undefined },
        (context) => context.step("connect", () => context.connect(access())),
      ),
    );
    expect(message).toContain("is not signed by an authority of Amazon RDS");
  });

  it("is refused by a server without TLS, rather than made without it", async () => {
    const plain = await TestServer.start();
    try {
      const message = await refusalOf(
        withLambdaContext(
          { action: "maintain", deadline: Date.now() + 30_000, clients, writeLine: () => undefined, trusted },
          (context) => context.step("connect", () => context.connect({ ...access(), port: plain.port })),
        ),
      );
      expect(message).toMatch(/does not support SSL connections.*runs with TLS/);
    } finally {
      await plain.stop();
    }
  });

  it.each([
    ["an unknown secret", { adminSecretArn: "unknown" }, "Secrets Manager can't find it."],
    ["an unknown database", { database: "nowhere" }, "Name an existing database."],
    ["an unknown host", { host: "nowhere.invalid" }, "nowhere.invalid"],
  ])("names what is wrong with %s", async (_, changes, message) => {
    expect(await refusalOf(connectAs(changes))).toContain(message);
  });

  it("with a wrong password is refused without telling it", async () => {
    secrets["wrong"] = JSON.stringify({ username: superuser.user, password: "the-wrong-password" });
    const message = await refusalOf(connectAs({ adminSecretArn: "wrong" }));
    expect(message).toContain("refused user postgres or its password");
    expect(message + lines.join("\n")).not.toContain("the-wrong-password");
  });

  it("ends, with the statement that it runs, when the time is over", async () => {
    const begun = Date.now();
    const message = await refusalOf(
      withLambdaContext(
        { action: "maintain", deadline: Date.now() + 1_000, clients, writeLine: () => undefined, trusted },
        async (context) => {
          const client = await context.step("connect", () => context.connect(access()));
          return context.step("sleep", () => client.query("SELECT pg_sleep(60)"));
        },
      ),
    );
    expect(message).toContain('maintain failed at "sleep": It was not done within the 1 s');
    expect(Date.now() - begun).toBeLessThan(10_000);
    const admin = await server.connect();
    for (let tries = 0; ; tries += 1) {
      const { rowCount } = await admin.query("SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
      if (rowCount === 0) break;
      expect(tries).toBeLessThan(100);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});

describe("The Lambda function", () => {
  it("bootstraps and maintains with secrets of Secrets Manager and publishes metrics of its pipeline", async () => {
    const { database } = await server.createDatabase();
    const options = { deadline: Date.now() + 60_000, clients, writeLine: (line: string) => lines.push(line), trusted };
    const report = await withLambdaContext({ ...options, action: "bootstrap" }, (context) =>
      bootstrap(
        {
          action: "bootstrap",
          source: { ...access({ database }), captureSecretArn: "capture", tables: [] },
          destination: { ...access({ database }), writerSecretArn: "writer" },
        },
        context,
      ),
    );
    expect(report.destination.passwordsSet).toEqual([databaseRoles.writer]);
    await withLambdaContext({ ...options, action: "maintain" }, (context) =>
      maintain(
        { action: "maintain", sourceId: "shop", source: access({ database }), destination: access({ database }) },
        context,
      ),
    );
    const [call] = cloudWatch.commandCalls(PutMetricDataCommand);
    expect(call?.args[0].input).toEqual({
      Namespace: "CdcAudit",
      MetricData: expect.arrayContaining([
        {
          MetricName: "DefaultPartitionRows",
          Dimensions: [{ Name: "SourceId", Value: "shop" }],
          Value: 0,
        },
      ]),
    });
    const told = [...lines, JSON.stringify(report), server.log].join("\n");
    for (const password of ["capture-password", "writer-password", superuser.password]) {
      expect(told).not.toContain(password);
    }
  });
});

describe("The trusted authorities", () => {
  it("hold valid ones of Amazon RDS for each region of the package", () => {
    const names = rdsAuthorities()
      .map((pem) => new X509Certificate(pem))
      .filter((certificate) => certificate.validToDate > new Date())
      .map((certificate) => /CN=(.*)/.exec(certificate.subject)?.[1] ?? "");
    for (const region of ["eu-central-1", "us-east-1", "us-west-2", "ap-southeast-2", "sa-east-1"]) {
      expect(names).toContain(`Amazon RDS ${region} Root CA RSA2048 G1`);
    }
  });
});

/** An authority, and a key and certificate that it signed for `localhost`, for one day. */
function makeCertificates(target: string): void {
  const openssl = (...options: string[]) => execFileSync("openssl", options, { cwd: target, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "authority.key",
    "-out",
    "authority.pem",
    "-days",
    "1",
    "-subj",
    "/CN=authority",
  );
  openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(join(target, "names"), "subjectAltName=DNS:localhost\n");
  openssl(
    ...["x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"],
    ...["-out", "server.pem", "-days", "1", "-extfile", "names"],
  );
  chmodSync(join(target, "server.key"), 0o600);
}

/** Turns TLS on. The key must belong to the user that the server runs as, which under root is another. */
async function encrypt(running: TestServer, certificates: string): Promise<void> {
  const admin = await running.connect();
  const { rows } = await admin.query<{ data_directory: string }>("SHOW data_directory");
  const { uid, gid } = statSync(rows[0]!.data_directory);
  chownSync(join(certificates, "server.key"), uid, gid);
  for (const [setting, value] of [
    ["ssl_cert_file", join(certificates, "server.pem")],
    ["ssl_key_file", join(certificates, "server.key")],
    ["ssl", "on"],
  ]) {
    await admin.query(`ALTER SYSTEM SET ${setting} = ${admin.escapeLiteral(value!)}`);
  }
  await admin.query("SELECT pg_reload_conf()");
  const deadline = Date.now() + 10_000;
  while ((await admin.query("SELECT FROM pg_settings WHERE name = 'ssl' AND setting = 'on'")).rowCount === 0) {
    if (Date.now() > deadline) throw new Error(`PostgreSQL did not turn TLS on:\n${running.log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
