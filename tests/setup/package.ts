import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildPackage } from "../../scripts/package";
import { type Recording, recordStack } from "../../recorder/recorder";
import { recordProgram } from "../../recorder/stacks";
import {
  copySources,
  createConsumer,
  type TypescriptExample,
  typeErrors,
  typescriptExamples,
} from "../package/consumer";
import { RunningPlugin } from "../../scripts/plugin";
import { recordYamlProgram } from "../package/yaml-program";

/** What the suites of this project look at, made once for all of them from the packed tarball. */
export interface PackageFacts {
  readonly packageFolder: string;
  readonly consumerFolder: string;
  /** What Pulumi's own component host infers from the sources, as they are fetched from a repository. */
  readonly inferredSchema: unknown;
  /** What the compiler finds wrong with the examples. */
  readonly typeErrors: string;
  /** Folder of the recordings: one file for each example, and `yaml` under the project name of `whole-pipeline`. */
  readonly recordings: string;
}
export type RecordedExample = TypescriptExample | "yaml";

declare module "vitest" {
  interface ProvidedContext {
    packageFacts: PackageFacts;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const [tarball, schema] = await Promise.all([buildPackage(join(folder, "build")), inferredSchema(folder)]);
    const consumer = await createConsumer(tarball, folder);
    const keep = (name: string, recording: Recording) =>
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(recording));
    const [errors] = await Promise.all([typeErrors(consumer), recordAll(consumer, keep)]);
    project.provide("packageFacts", {
      packageFolder: consumer.packageFolder,
      consumerFolder: consumer.folder,
      inferredSchema: schema,
      typeErrors: errors,
      recordings: folder,
    });
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

async function inferredSchema(folder: string): Promise<unknown> {
  const plugin = await RunningPlugin.start(copySources(join(folder, "sources")));
  try {
    return await plugin.schema();
  } finally {
    plugin.stop();
  }
}

/** One program at a time: the compiler runs beside them, and two cores serve no more. */
async function recordAll(
  consumer: { readonly folder: string; readonly packageFolder: string },
  keep: (name: RecordedExample, recording: Recording) => void,
): Promise<void> {
  const dev = await recordProgram("dev");
  const otherStacks = { "organization/cdc-audit/dev": dev.stackOutputs };
  for (const example of typescriptExamples) {
    keep(example, await recordStack({ projectFolder: join(consumer.folder, example), stack: "sample", otherStacks }));
  }
  const yaml = await recordYamlProgram({
    projectFolder: join(consumer.folder, "yaml"),
    pluginFolder: join(consumer.packageFolder, "plugin"),
    project: "whole-pipeline",
  });
  keep("yaml", yaml);
}
