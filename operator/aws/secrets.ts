import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Credentials } from "../context";
import { OperatorError } from "../errors";

/** What the operator needs to know of a secret: never logged, never part of an error. */
export async function readSecret(client: SecretsManagerClient, secretArn: string): Promise<Credentials> {
  const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return parseCredentials(text, secretArn);
}

/** Reads the JSON of a secret. Errors name the secret and its members, not their values. */
export function parseCredentials(text: string | undefined, secretArn: string): Credentials {
  const fix = 'Give it a value of the form {"username": "…", "password": "…"}.';
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    // Not the parser's message: it quotes the text.
    throw new OperatorError(`Secret ${secretArn} does not hold JSON.`, fix);
  }
  const { username, password } = (value ?? {}) as { username?: unknown; password?: unknown };
  for (const [name, member] of Object.entries({ username, password })) {
    if (typeof member !== "string" || member === "") {
      throw new OperatorError(`Secret ${secretArn} has no text "${name}".`, fix);
    }
  }
  return { username: username as string, password: password as string };
}
