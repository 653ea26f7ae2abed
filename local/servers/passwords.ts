import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Passwords of one local pipeline's roles. */
export interface Passwords {
  readonly superuser: string;
  readonly capture: string;
  readonly writer: string;
  readonly review: string;
}

/** Reads the passwords of a run from its file. Without a file, draws them and writes one that only its owner can read. */
export function passwordsOf(file: string): Passwords {
  const password = () => randomBytes(18).toString("base64url");
  const drawn = { superuser: password(), capture: password(), writer: password(), review: password() };
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<Passwords>) : {};
  // A file of an earlier version lacks roles that came since.
  const passwords = { ...drawn, ...kept };
  if (Object.keys(kept).length === Object.keys(drawn).length) return passwords;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(passwords), { mode: 0o600 });
  chmodSync(file, 0o600);
  return passwords;
}
