import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { RecordingEngine } from "../../recorder/engine";
import { type Recording, placeOf } from "../../recorder/recorder";
import { readStackSettings } from "../../recorder/stack-settings";
import { type Value, type ValueMap, isList, isMap } from "../../recorder/values";
import { RunningPlugin } from "../../scripts/plugin";

interface YamlProgram {
  readonly resources: Readonly<Record<string, { readonly type: string; readonly properties: ValueMap }>>;
  readonly outputs: ValueMap;
}

export interface YamlOptions {
  /** Folder of Pulumi.yaml. */
  readonly projectFolder: string;
  /** Folder of the component package's PulumiPlugin.yaml. */
  readonly pluginFolder: string;
  /** Runs under this project's name. Default: its own. */
  readonly project?: string;
}

/**
 * Records a Pulumi YAML program that uses nothing but components of one package and references to settings and outputs
 * (`${name}`, `${resource.output}`), as its engine would run it: each component is made by the package's own process.
 */
export async function recordYamlProgram({ projectFolder, pluginFolder, project }: YamlOptions): Promise<Recording> {
  const program = parse(readFileSync(join(projectFolder, "Pulumi.yaml"), "utf8")) as YamlProgram;
  const settings = readStackSettings(projectFolder, "sample");
  const name = project ?? settings.project;
  const started = performance.now();
  const engine = new RecordingEngine({
    project: name,
    stack: "sample",
    preview: false,
    place: placeOf(settings.config["aws:region"] ?? ""),
  });
  const plugin = await RunningPlugin.start(pluginFolder, await engine.start(), projectFolder);
  const made: Record<string, ValueMap> = {};
  const resolved = (value: Value): Value => {
    if (isList(value)) return value.map(resolved);
    if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolved(member)]));
    const [, reference, output] = /^\$\{([\w-]+)(?:\.(\w+))?\}$/.exec(String(value)) ?? [];
    if (reference === undefined) return value;
    const found = output ? made[reference]?.[output] : settings.config[`${settings.project}:${reference}`];
    if (found === undefined)
      throw new Error(`${String(value)} is neither a setting nor the output of an earlier resource.`);
    return found;
  };
  try {
    for (const [resource, { type, properties }] of Object.entries(program.resources)) {
      made[resource] = await plugin.construct({
        project: name,
        stack: "sample",
        type: type.replace(/^([\w-]+):(\w+)$/, "$1:index:$2"),
        name: resource,
        inputs: resolved(properties) as ValueMap,
        config: settings.config,
      });
    }
    return {
      project: name,
      stack: "sample",
      preview: false,
      registrations: engine.registrations,
      invocations: engine.invocations,
      log: engine.log,
      stackOutputs: resolved(program.outputs) as ValueMap,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    plugin.stop();
    engine.stop();
  }
}
