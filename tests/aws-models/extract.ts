import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { resourceCalls } from "./mapping";
import type { Models, ServiceModel, Shape } from "./models";

/**
 * Writes `models.json`: the input shapes of the AWS operations that the program's resources call, taken from the models
 * that ship in the Python package botocore (Apache License 2.0, Amazon Web Services). Descriptions are left out.
 *
 * Run with `npx tsx tests/aws-models/extract.ts` after a change of the version here or of the mapping; it needs
 * pip and the Python package index. The tests need neither.
 */
const botocoreVersion = "1.44.5";

interface BotocoreMember {
  readonly shape: string;
  readonly location?: string;
}

interface BotocoreShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, BotocoreMember>>;
  readonly required?: readonly string[];
  readonly member?: BotocoreMember;
  readonly key?: BotocoreMember;
  readonly value?: BotocoreMember;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
}

interface BotocoreModel {
  readonly metadata: { readonly apiVersion: string };
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, BotocoreShape>>;
}

function main(): void {
  const files = downloadWheel();
  const operations = neededOperations();
  const services: Record<string, ServiceModel> = {};
  for (const service of Object.keys(operations).sort()) {
    services[service] = extract(newestModel(files, service), [...(operations[service] ?? [])].sort(), service);
  }
  const models: Models = {
    source: { package: "botocore", version: botocoreVersion, licence: "Apache-2.0, Amazon Web Services" },
    services,
  };
  writeFileSync(join(__dirname, "models.json"), oneShapePerLine(models));
}

/** Operations by service, from the mapping: the creating ones and those that carry single members. */
function neededOperations(): Record<string, Set<string>> {
  const needed: Record<string, Set<string>> = {};
  for (const { service, operation, members } of Object.values(resourceCalls)) {
    const ofService = (needed[service] ??= new Set());
    ofService.add(operation);
    for (const target of Object.values(members ?? {})) {
      if (typeof target === "object" && "operation" in target) ofService.add(target.operation);
    }
  }
  return needed;
}

function downloadWheel(): Record<string, Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "botocore-"));
  try {
    const requirement = `botocore==${botocoreVersion}`;
    execFileSync("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement], {
      stdio: "inherit",
    });
    const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"));
    if (!wheel) throw new Error(`pip downloaded no wheel of ${requirement}.`);
    return unzipSync(readFileSync(join(folder, wheel)), { filter: (file) => file.name.endsWith("/service-2.json.gz") });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function newestModel(files: Record<string, Uint8Array>, service: string): BotocoreModel {
  const newest = Object.keys(files)
    .filter((name) => name.startsWith(`botocore/data/${service}/`))
    .sort()
    .at(-1);
  const file = newest === undefined ? undefined : files[newest];
  if (!file) throw new Error(`botocore ${botocoreVersion} has no model of ${service}.`);
  return JSON.parse(gunzipSync(file).toString("utf8")) as BotocoreModel;
}

function extract(model: BotocoreModel, operations: readonly string[], service: string): ServiceModel {
  const shapes: Record<string, Shape> = {};
  const keep = (name: string): void => {
    const shape = model.shapes[name];
    if (shape === undefined || name in shapes) return;
    shapes[name] = slim(shape);
    for (const member of [...Object.values(shape.members ?? {}), shape.member, shape.key, shape.value]) {
      if (member) keep(member.shape);
    }
  };
  const inputs = operations.map((operation): [string, string] => {
    const input = model.operations[operation]?.input?.shape;
    if (!input) throw new Error(`${service} has no operation ${operation} with an input.`);
    keep(input);
    return [operation, input];
  });
  return { apiVersion: model.metadata.apiVersion, operations: Object.fromEntries(inputs), shapes: sorted(shapes) };
}

function slim(shape: BotocoreShape): Shape {
  return {
    type: shape.type,
    ...(shape.members && {
      members: Object.fromEntries(Object.entries(shape.members).map(([name, member]) => [name, member.shape])),
    }),
    ...(shape.required?.length && { required: shape.required }),
    ...(shape.member && { member: shape.member.shape }),
    ...(shape.key && { key: shape.key.shape }),
    ...(shape.value && { value: shape.value.shape }),
    ...(shape.enum && { enum: shape.enum }),
    ...(shape.pattern !== undefined && { pattern: shape.pattern }),
    ...(shape.min !== undefined && { min: shape.min }),
    ...(shape.max !== undefined && { max: shape.max }),
  };
}

function sorted(shapes: Record<string, Shape>): Record<string, Shape> {
  return Object.fromEntries(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** So that the difference between two versions can be read. */
function oneShapePerLine({ source, services }: Models): string {
  const line = (name: string, value: unknown) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
  const body = Object.entries(services).map(([name, { apiVersion, operations, shapes }]) => {
    const lines = Object.entries(shapes).map(([shape, definition]) => `        ${line(shape, definition)}`);
    return [
      `    ${JSON.stringify(name)}: {`,
      `      ${line("apiVersion", apiVersion)},`,
      `      ${line("operations", operations)},`,
      `      "shapes": {`,
      lines.join(",\n"),
      `      }`,
      `    }`,
    ].join("\n");
  });
  return `{\n  ${line("source", source)},\n  "services": {\n${body.join(",\n")}\n  }\n}\n`;
}

main();
