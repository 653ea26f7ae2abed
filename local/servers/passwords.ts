import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Passwords of one local pipeline's roles. */
export interface Passwords {
  readonly superuser: string;
  readonly capture: string;
  readonly writer: string;
}

/** Reads the passwords of a run from its file. Without a file, draws them and writes one that only its owner can read. */
export function passwordsOf(file: string): Passwords {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Passwords;
  const password = () => randomBytes(18).toString("base64url");
  const passwords = { superuser: password(), capture: password(), writer: password() };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(passwords), { mode: 0o600 });
  chmodSync(file, 0o600);
  return passwords;
}
