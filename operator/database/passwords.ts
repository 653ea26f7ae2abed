import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { type ClientBase, escapeIdentifier, escapeLiteral } from "pg";

/** Rounds of PBKDF2: what PostgreSQL itself uses by default. */
const iterations = 4096;

/**
 * The SCRAM-SHA-256 verifier that PostgreSQL stores for a password (RFC 5803). Given this instead of the password, the
 * server can check a login, and neither its log nor `pg_stat_activity` ever holds the password.
 *
 * @throws when the password is empty or not printable ASCII: other characters would need SASLprep, which clients apply
 * differently.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  if (!/^[\x20-\x7e]+$/.test(password)) {
    throw new Error(
      "The password is empty or holds characters outside printable ASCII; generate one of ASCII letters and digits.",
    );
  }
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", saltedPassword).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", saltedPassword).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** Lets roles log in with the given passwords. Returns what was done, for a report. */
export async function setPasswords<Role extends string>(
  client: ClientBase,
  passwords: Partial<Record<Role, string>>,
): Promise<string[]> {
  const done: string[] = [];
  for (const [role, password] of Object.entries<string | undefined>(passwords)) {
    if (password === undefined) continue;
    const verifier = escapeLiteral(scramVerifier(password));
    await client.query(`ALTER ROLE ${escapeIdentifier(role)} LOGIN PASSWORD ${verifier}`);
    done.push(role);
  }
  return done;
}
