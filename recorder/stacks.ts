import { join, resolve } from "node:path";
import { type RecordOptions, type Recording, recordStack } from "./recorder";

const projectFolder = resolve(__dirname, "..");

/** The stacks whose recordings are kept as golden files and checked. */
export const recordedStacks = ["dev", "prod"] as const;

/** The golden file of a stack. */
export function goldenFile(stack: string): string {
  return join(__dirname, "goldens", `${stack}.yaml`);
}

/** Stands in for what a deployment builds first, so that a recording needs no build and is the same on every machine. */
const standIns = {
  "cdc-audit:transformer": { imageBuildContext: "recorder/stand-ins/build-context" },
  "cdc-audit:sink": { pluginPath: "recorder/stand-ins/plugin.zip" },
  "cdc-audit:operator": { bundlePath: "recorder/stand-ins/operator.zip" },
};

/** Records this repository's program with the settings of a stack. */
export function recordProgram(stack: string, options: Partial<RecordOptions> = {}): Promise<Recording> {
  return recordStack({ projectFolder, stack, ...options, config: { ...standIns, ...options.config } });
}
