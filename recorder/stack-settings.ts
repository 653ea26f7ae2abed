import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** What the Pulumi CLI would hand to the program's runtime for one stack. */
export interface StackSettings {
  readonly project: string;
  /** Configuration by full key, such as `cdc-audit:environment`; objects and lists are JSON texts, as the CLI sends them. */
  readonly config: Readonly<Record<string, string>>;
  /** The keys of `config` whose values are secrets. */
  readonly secretKeys: readonly string[];
  /** `main` of Pulumi.yaml: the program's entry point, or "." for the one that package.json names. */
  readonly entryPoint: string;
  /** Environment variables that carry the runtime options of Pulumi.yaml. */
  readonly runtimeEnvironment: Readonly<Record<string, string>>;
  /** Arguments for node, from the runtime option `nodeargs`. */
  readonly nodeArguments: readonly string[];
}

interface ConfigDeclaration {
  readonly default?: unknown;
  readonly value?: unknown;
  readonly secret?: boolean;
}

interface ProjectFile {
  readonly name: string;
  readonly main?: string;
  readonly runtime?: string | { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Stands in for the content of an encrypted (`secure:`) setting, which only its stack's key opens. */
export const placeholderSecret = "recorded-instead-of-the-secret";

/**
 * Reads Pulumi.yaml and `Pulumi.<stack>.yaml` of a program, with the precedence of the Pulumi CLI: what the stack says,
 * else the project's default.
 *
 * @param stack Name of the stack file to read.
 * @throws when a file is missing or the stack file sets a key that the CLI would not accept.
 */
export function readStackSettings(projectFolder: string, stack: string): StackSettings {
  const project = readYaml(join(projectFolder, "Pulumi.yaml")) as ProjectFile;
  const stackFile = readYaml(join(projectFolder, `Pulumi.${stack}.yaml`)) as {
    config?: Readonly<Record<string, unknown>> | null;
  };
  const config: Record<string, string> = {};
  const secretKeys = new Set<string>();

  for (const [key, declared] of Object.entries(project.config ?? {})) {
    const declaration = isDeclaration(declared) ? declared : { value: declared };
    const value = declaration.value ?? declaration.default;
    if (value !== undefined) config[fullKey(project.name, key)] = configText(value);
    if (declaration.secret) secretKeys.add(fullKey(project.name, key));
  }
  for (const [key, value] of Object.entries(stackFile.config ?? {})) {
    const full = fullKey(project.name, key);
    config[full] = configText(withoutCiphers(value));
    if (holdsCipher(value)) secretKeys.add(full);
  }

  const options = typeof project.runtime === "object" ? (project.runtime.options ?? {}) : {};
  const runtimeEnvironment: Record<string, string> = { PULUMI_NODEJS_TYPESCRIPT: String(options.typescript ?? true) };
  if (options.tsconfig !== undefined) runtimeEnvironment.PULUMI_NODEJS_TSCONFIG_PATH = String(options.tsconfig);
  return {
    project: project.name,
    config,
    secretKeys: [...secretKeys].filter((key) => key in config),
    entryPoint: project.main ?? ".",
    runtimeEnvironment,
    nodeArguments: String(options.nodeargs ?? "")
      .split(/\s+/)
      .filter((argument) => argument !== ""),
  };
}

/** An encrypted value, as the CLI writes it. */
function isCipher(value: unknown): boolean {
  return typeof value === "object" && value !== null && "secure" in value;
}

/** Whether a setting is encrypted, or a member of it at any depth: the CLI then takes the whole for a secret. */
function holdsCipher(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return isCipher(value) || Object.values(value).some(holdsCipher);
}

function withoutCiphers(value: unknown): unknown {
  if (isCipher(value)) return placeholderSecret;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutCiphers);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutCiphers(member)]));
}

function readYaml(file: string): unknown {
  if (!existsSync(file)) throw new Error(`${file} does not exist. Name a stack whose file is beside Pulumi.yaml.`);
  return parse(readFileSync(file, "utf8")) ?? {};
}

/** `environment` becomes `cdc-audit:environment`; keys that name their namespace stay. */
function fullKey(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function isDeclaration(value: unknown): value is ConfigDeclaration {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The CLI stores every value as text, and structured ones as JSON. */
function configText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
