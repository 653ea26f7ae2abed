import * as pulumi from "@pulumi/pulumi";
import { InvalidSettings, parseSettings } from "./settings";
import type { Settings } from "./types";

export type { Settings } from "./types";

/** The keys of encrypted settings. The SDK knows them by this variable, and has no public function for them. */
function secretKeys(): string[] {
  const keys: unknown = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS || "[]");
  return Array.isArray(keys) ? keys.map(String) : [];
}

/**
 * The settings of the running stack.
 *
 * @throws pulumi.RunError with everything that is wrong, before anything is created.
 */
export function readSettings(): Settings {
  const prefix = `${pulumi.getProject()}:`;
  const written = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  try {
    return parseSettings({
      region: new pulumi.Config("aws").get("region"),
      project: Object.fromEntries(written.map(([key, value]) => [key.slice(prefix.length), value])),
      secretKeys: secretKeys().flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : [])),
    });
  } catch (error) {
    throw error instanceof InvalidSettings ? new pulumi.RunError(error.message) : error;
  }
}
