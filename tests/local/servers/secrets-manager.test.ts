import { afterAll, beforeAll, expect, test } from "vitest";
import { startSecretsManager, type SecretsManager } from "../../../local/servers/secrets-manager";

let server: SecretsManager;

beforeAll(async () => {
  server = await startSecretsManager({ secrets: { "local/writer": '{"username":"w","password":"1"}' } });
});

afterAll(() => server.stop());

async function call(body: string, action = "GetSecretValue") {
  const response = await fetch(server.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `secretsmanager.${action}` },
    body,
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    body: (await response.json()) as Record<string, unknown>,
  };
}

test("a secret is given by name, in the protocol that the AWS SDKs speak", async () => {
  const { status, type, body } = await call('{"SecretId":"local/writer"}');
  expect([status, type]).toEqual([200, "application/x-amz-json-1.1"]);
  expect(body).toMatchObject({
    Name: "local/writer",
    SecretString: '{"username":"w","password":"1"}',
    VersionStages: ["AWSCURRENT"],
  });
});

test("a rotated secret has a new value and a new version", async () => {
  const before = await call('{"SecretId":"local/writer"}');
  server.setSecret("local/writer", '{"username":"w","password":"2"}');
  const after = await call('{"SecretId":"local/writer"}');
  expect(after.body.SecretString).toContain('"2"');
  expect(after.body.VersionId).not.toBe(before.body.VersionId);
});

test.each([
  ["an unknown secret", '{"SecretId":"other"}', "GetSecretValue", "ResourceNotFoundException"],
  ["a request without a name", "{}", "GetSecretValue", "ValidationException"],
  ["a request that is no JSON", "{", "GetSecretValue", "ValidationException"],
  ["another action", '{"SecretId":"local/writer"}', "DeleteSecret", "UnknownOperationException"],
])("%s is refused with AWS's error type", async (_, body, action, type) => {
  const answer = await call(body, action);
  expect(answer.status).toBe(400);
  expect(answer.body.__type).toBe(type);
});

test("it listens on loopback only", () => {
  expect(new URL(server.endpoint).hostname).toBe("127.0.0.1");
});
