import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Of the roles of one local pipeline. */
export interface Passwords {
  readonly superuser: string;
  readonly capture: string;
  readonly writer: string;
}

/** Reads the passwords of a run from its file; draws them, and writes the file for the owner alone, when there is none. */
export function passwordsOf(file: string): Passwords {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Passwords;
  const password = () => randomBytes(18).toString("base64url");
  const passwords = { superuser: password(), capture: password(), writer: password() };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(passwords), { mode: 0o600 });
  chmodSync(file, 0o600);
  return passwords;
}
