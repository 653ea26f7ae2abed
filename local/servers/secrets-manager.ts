import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SecretsManagerOptions {
  /** Secret strings by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** A stand-in for AWS Secrets Manager on 127.0.0.1. It checks no credentials and listens on no other address. */
export interface SecretsManager {
  /** Base URL, for `secretsManagerEndpoint` of the AWS JDBC wrapper or an SDK's `endpoint`. */
  readonly endpoint: string;
  /** Adds a secret or gives it a new value and version, as a rotation does. */
  setSecret(name: string, value: string): void;
  stop(): Promise<void>;
}

interface Secret {
  readonly value: string;
  readonly version: string;
  readonly createdAt: number;
}

const action = "secretsmanager.GetSecretValue";
const maxRequestBytes = 65_536;

/** Serves `GetSecretValue` (AWS JSON 1.1) on a free port; every other action is refused as AWS refuses unknown ones. */
export async function startSecretsManager(options: SecretsManagerOptions): Promise<SecretsManager> {
  const secrets = new Map<string, Secret>();
  const setSecret = (name: string, value: string) => {
    secrets.set(name, { value, version: randomUUID(), createdAt: Date.now() / 1000 });
  };
  for (const [name, value] of Object.entries(options.secrets)) setSecret(name, value);

  const server = createServer((request, response) => void answer(request, response, secrets));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    setSecret,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, secrets: Map<string, Secret>): Promise<void> {
  const refuse = (type: string, message: string) => reply(response, 400, { __type: type, Message: message });
  if (request.headers["x-amz-target"] !== action) {
    return refuse("UnknownOperationException", `Only ${action} is served here.`);
  }
  const input = await readJson(request);
  const name = (input as { SecretId?: unknown } | null)?.SecretId;
  if (typeof name !== "string") return refuse("ValidationException", "SecretId must be a string.");
  const secret = secrets.get(name);
  if (!secret) return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
  reply(response, 200, {
    ARN: `arn:aws:secretsmanager:local:000000000000:secret:${name}`,
    Name: name,
    VersionId: secret.version,
    VersionStages: ["AWSCURRENT"],
    SecretString: secret.value,
    CreatedDate: secret.createdAt,
  });
}

/** The request's body; undefined when it is not JSON or too long for any request that is meant. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > maxRequestBytes) return undefined;
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
}
