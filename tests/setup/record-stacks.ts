import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { type Recording, recordStack } from "../../recorder/recorder";
import { recordProgram, recordVariant } from "../../recorder/stacks";

/** As long as the stack names may be for which all names must fit. */
const longestStackName = "twenty-character-run";

/** Brokers open to one address on the internet, until tomorrow. */
function withGuests(): Record<string, object> {
  const until = `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}Z`;
  return {
    "cdc-audit:kafka": { subnetsArePublic: true, publicAccess: { cidrs: ["203.0.113.7/32"], until, stage: "open" } },
  };
}

/** What the suites look at, recorded once for all of them. */
const recorders = {
  dev: () => recordProgram("dev"),
  prod: () => recordProgram("prod"),
  devPreview: () => recordProgram("dev", { preview: true }),
  prodPreview: () => recordProgram("prod", { preview: true }),
  devWithLongName: () => recordVariant("dev-with-review", { stackName: longestStackName }),
  devWithReview: () => recordVariant("dev-with-review"),
  devWithReviewPreview: () => recordVariant("dev-with-review", { preview: true }),
  devWithGuests: () => recordProgram("dev", { config: withGuests() }),
  twoPipelines: () =>
    recordStack({ projectFolder: join(__dirname, "../stack/fixtures/two-pipelines"), stack: "sample" }),
} satisfies Record<string, () => Promise<Recording>>;

export type RecordingName = keyof typeof recorders;

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the recordings. */
    recordings: string;
  }
}

/** Records before the suites of this project start; two programs at a time are as many as two cores serve. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "recordings-"));
  project.provide("recordings", folder);
  const waiting = Object.entries(recorders);
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, record] = next;
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(await record()));
    }
  };
  try {
    await Promise.all([worker(), worker()]);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return () => rmSync(folder, { recursive: true });
}
