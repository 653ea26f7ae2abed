import * as pulumi from "@pulumi/pulumi";
import { InvalidSettings, parseSettings } from "./settings";
import type { Settings } from "./types";

export type { Settings } from "./types";

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
    });
  } catch (error) {
    throw error instanceof InvalidSettings ? new pulumi.RunError(error.message) : error;
  }
}
