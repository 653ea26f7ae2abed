import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, inject, it } from "vitest";
import * as components from "../../components";
import committedSchema from "../../components/schema.json";
import { sqlFiles } from "../../database";
import { version } from "../../package.json";
import { RecordingEngine } from "../../recorder/engine";
import { placeOf } from "../../recorder/recorder";
import { type PackageSchema, RunningPlugin } from "../../scripts/plugin";

const run = promisify(execFile);
const { packageFolder, consumerFolder, inferredSchema } = inject("packageFacts");
const schema = inferredSchema as PackageSchema;
const files = readdirSync(packageFolder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(packageFolder, join(entry.parentPath, entry.name)))
  .sort();
const manifest = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** The exported classes: everything else that the package exports is a function or a constant. */
const classes = Object.entries(components)
  .filter(([, exported]) => typeof exported === "function" && /^class /.test(String(exported)))
  .map(([name]) => name);

describe("the tarball", () => {
  it("holds compiled code with its types, contracts, and the few files that a reader or Pulumi asks for", () => {
    const compiled = files.filter((file) => /^(components|contract)\/.*\.js$/.test(file));
    const expected = [
      ...compiled,
      ...compiled.map((file) => file.replace(/\.js$/, ".d.ts")),
      ...readdirSync(join(packageFolder, "contract"))
        .filter((file) => file.endsWith(".json"))
        .map((file) => `contract/${file}`),
      "CHANGELOG.md",
      "README.md",
      "components/schema.json",
      "operator/index.js",
      "operator/index.js.LEGAL.txt",
      ...(["source", "destination"] as const).flatMap((side) =>
        sqlFiles(side).map(({ name }) => `operator/${side}/${name}`),
      ),
      "package.json",
      "plugin/PulumiPlugin.yaml",
      "plugin/package.json",
    ];
    expect(compiled.length).toBeGreaterThan(50);
    expect([...files].sort()).toEqual([...expected, ...typesAlone()].sort());
  });

  it("imports nothing from outside itself that it does not declare", () => {
    const found = files
      .filter((file) => /^(components|contract)\/.*\.(js|d\.ts)$/.test(file))
      .flatMap((file) => importsOf(file).map((imported) => ({ file, imported })));
    expect(found.length).toBeGreaterThan(100);
    const strangers = found.filter(({ file, imported }) => {
      if (imported.startsWith("."))
        return relative(packageFolder, join(packageFolder, dirname(file), imported)).startsWith("..");
      const name = imported
        .split("/")
        .slice(0, imported.startsWith("@") ? 2 : 1)
        .join("/");
      return !imported.startsWith("node:") && !builtinModules.includes(name) && !(name in manifest.dependencies);
    });
    expect(strangers).toEqual([]);
  });

  it("declares ranges that npm finds satisfied in the consumer's folder", async () => {
    // npm ends with an error for what the linked packages were developed with; that is not ours to judge.
    const { stdout } = await run("npm", ["ls", "--json", "--depth=0", "--offline"], { cwd: consumerFolder }).catch(
      (error: { stdout: string }) => error,
    );
    const tree = JSON.parse(stdout) as {
      readonly problems?: readonly string[];
      readonly dependencies: Readonly<Record<string, { readonly invalid?: string; readonly missing?: boolean }>>;
    };
    expect(Object.keys(tree.dependencies).sort()).toEqual(["cdc-audit", ...Object.keys(manifest.dependencies)].sort());
    const faulty = Object.entries(tree.dependencies).filter(([, { invalid, missing }]) => invalid || missing);
    expect(faulty).toEqual([]);
    expect((tree.problems ?? []).filter((problem) => /required by (cdc-audit|consumer)@/.test(problem))).toEqual([]);
  });

  it("bears the version of this repository", () => {
    expect(manifest.version).toBe(version);
  });

  /** Modules that hold types alone compile to code that no one loads, but the compiler writes all the same. */
  function typesAlone(): string[] {
    return files.filter((file) => file.endsWith(".d.ts") && !files.includes(file.replace(/\.d\.ts$/, ".js")));
  }

  function importsOf(file: string): string[] {
    const text = readFileSync(join(packageFolder, file), "utf8");
    return [...text.matchAll(/(?:require\(|from |import\()"([^"]+)"/g)].map(([, imported]) => imported ?? "");
  }
});

describe("the package's schema", () => {
  it("is the one that was agreed: `npm run package:schema` writes it anew, and a change belongs into CHANGELOG.md", () => {
    expect(inferredSchema).toEqual(committedSchema);
  });

  it("offers every exported component to programs in any language", () => {
    expect(Object.keys(schema.resources).sort()).toEqual(classes.map((name) => `cdc-audit:index:${name}`).sort());
    for (const [token, resource] of Object.entries(schema.resources)) {
      expect(resource.isComponent, token).toBe(true);
      expect(Object.keys(resource.inputProperties ?? {}).length, token).toBeGreaterThan(0);
      expect(Object.keys(resource.properties ?? {}).length, token).toBeGreaterThan(0);
    }
  });

  it("describes every component, argument, output and member of an argument", () => {
    const described = [
      ...Object.entries(schema.resources).flatMap(([token, resource]) => [
        [token, resource] as const,
        ...members(token, { ...resource.inputProperties, ...resource.properties }),
      ]),
      ...Object.entries(schema.types ?? {}).flatMap(([token, type]) => members(token, type.properties ?? {})),
    ];
    expect(described.filter(([, { description }]) => !description).map(([name]) => name)).toEqual([]);
  });

  function members<T>(token: string, properties: Readonly<Record<string, T>>): (readonly [string, T])[] {
    return Object.entries(properties).map(([name, property]) => [`${token}.${name}`, property] as const);
  }
});

describe("the plugin in the tarball", () => {
  const engine = new RecordingEngine({
    project: "project",
    stack: "stack",
    preview: false,
    place: placeOf("eu-central-1"),
  });
  let plugin: RunningPlugin;

  beforeAll(async () => {
    plugin = await RunningPlugin.start(join(packageFolder, "plugin"), await engine.start());
    return () => {
      plugin.stop();
      engine.stop();
    };
  });

  it("tells other languages the same schema as the sources do", async () => {
    expect(await plugin.schema()).toEqual(inferredSchema);
  });

  it("names the components that it has when it is asked for another one", async () => {
    const construction = { project: "project", stack: "stack", name: "nothing", inputs: {}, config: {} };
    await expect(plugin.construct({ ...construction, type: "cdc-audit:index:Nothing" })).rejects.toThrow(
      /no component cdc-audit:index:Nothing. It has cdc-audit:index:/,
    );
  });
});
