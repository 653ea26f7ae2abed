import type { z } from "zod";
import { defaultLobMaxSizeKilobytes, defaultUnboundedVarcharMaxBytes } from "../contract/change-capture";
import type { PipelineReviewArgs } from "../components/audit-pipeline/types";
import { type Problem, problemText } from "../components/shared/checks";
import { defaultLogRetentionDays } from "../components/shared/log-groups";
import { contentProblems } from "./checks";
import { environmentDefaults } from "./defaults";
import { hidden, schemaProblems, withoutFaults } from "./problems";
import { type DatabaseSettings, type ReviewSettings, type SettingKey, settingSchemas } from "./schema";
import type { Settings } from "./types";

/** A stack's settings as they were written: plain texts, objects and lists as JSON. */
export interface WrittenSettings {
  /** `aws:region`. */
  readonly region?: string;
  /** The project's own settings, by key without the project's name. */
  readonly project: Readonly<Record<string, string>>;
  /** Keys of the settings that are encrypted in the stack's file, whole or in a member. Default: none. */
  readonly secretKeys?: readonly string[];
}

/** All that is wrong with the settings of a stack, at once. */
export class InvalidSettings extends Error {
  constructor(readonly problems: readonly Problem[]) {
    const heading = problems.length === 1 ? "A setting of this stack is wrong:" : "Settings of this stack are wrong:";
    super([heading, ...problems.map((problem) => `  - ${problemText(problem)}`)].join("\n"));
  }
}

/**
 * Checks the settings of a stack and fills in defaults.
 *
 * @param now The moment that public access must end after.
 * @throws InvalidSettings with everything that is wrong.
 */
export function parseSettings(written: WrittenSettings, now: Date = new Date()): Settings {
  const { values, problems } = parseEach(written.project);
  const settings = withDefaults(values, written.region ?? "");
  const read = new Set(Object.keys(values) as SettingKey[]);
  // A setting with a fault is reported already; its stand-in value is not checked.
  const faulty = problems.map((problem) => problem.setting);
  const furtherProblems = contentProblems(settings, read, now).filter(
    ({ setting }) => !faulty.some((fault) => setting === fault || setting.startsWith(`${fault}.`)),
  );
  const secretKeys = written.secretKeys ?? [];
  const all = [...furtherProblems, ...problems, ...unencryptedSecrets(values, secretKeys)].map((problem) =>
    withoutSecrets(problem, secretKeys),
  );
  if (all.length > 0) throw new InvalidSettings(all);
  return settings;
}

/** A client's secret that everybody who reads the stack's file can read. */
function unencryptedSecrets({ review }: Values, secretKeys: readonly string[]): Problem[] {
  if (review?.oidc?.clientSecret === undefined || secretKeys.includes("review")) return [];
  return [
    {
      setting: "review.oidc.clientSecret",
      value: hidden,
      allowed: "a secret that is encrypted in the stack's file",
      fix: "Set it with pulumi config set --path --secret review.oidc.clientSecret, and have the provider issue a new one: this one was readable.",
    },
  ];
}

/** A message names the setting, and not its value where that may hold a secret. */
function withoutSecrets(problem: Problem, secretKeys: readonly string[]): Problem {
  const [key = ""] = problem.setting.split(/[.[]/, 1);
  return secretKeys.includes(key) && problem.value !== undefined ? { ...problem, value: hidden } : problem;
}

type Values = { -readonly [Key in SettingKey]?: z.output<(typeof settingSchemas)[Key]> };

/** Default of each setting that may be left out, as Pulumi.yaml states it; all other settings must be written. */
export const leftOut: Readonly<Partial<Record<SettingKey, string>>> = {
  logRetentionDays: String(defaultLogRetentionDays),
  kmsKeyArn: "",
  network: "{}",
  database: "{}",
  auditDatabaseName: "",
  kafka: "{}",
  topics: "{}",
  lobMaxSizeKilobytes: String(defaultLobMaxSizeKilobytes),
  unboundedVarcharMaxBytes: String(defaultUnboundedVarcharMaxBytes),
  capture: "{}",
  transformer: "{}",
  sink: "{}",
  operator: "{}",
  review: "{}",
  alarms: "{}",
};

interface Parsed {
  /** Settings that could be read; of an object, the members that could. */
  readonly values: Values;
  readonly problems: Problem[];
}

/** Reads each setting separately, so that a fault in one hides no fault in another. */
function parseEach(project: Readonly<Record<string, string>>): Parsed {
  const keys = Object.keys(settingSchemas) as SettingKey[];
  const problems: Problem[] = Object.keys(project)
    .filter((key) => !(keys as string[]).includes(key))
    .map((key) => ({
      setting: key,
      value: hidden,
      allowed: `one of ${keys.join(", ")}`,
      fix: `Remove it with pulumi config rm ${key}, or write its name as it stands in Pulumi.yaml.`,
    }));
  const values: Values = {};
  for (const key of keys) {
    const schema = settingSchemas[key] as z.ZodType;
    const value = readValue(project[key] ?? leftOut[key]);
    const result = schema.safeParse(value);
    if (!result.success) problems.push(...schemaProblems(key, value, schema, result.error));
    const readable = result.success ? result : schema.safeParse(withoutFaults(value, result.error));
    if (readable.success) Object.assign(values, { [key]: readable.data });
  }
  return { values, problems };
}

/** Objects and lists are written as JSON; every other value is the text itself. */
function readValue(text: string | undefined): unknown {
  if (text === undefined || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What the stack wrote, over the defaults of its kind of environment; over those of `dev` while that is unknown. */
function withDefaults(values: Values, region: string): Settings {
  const environment = values.environment ?? "dev";
  const defaults = environmentDefaults[environment];
  return {
    environment,
    region,
    everywhere: {
      retainData: values.retainData ?? true,
      logRetentionDays: values.logRetentionDays,
      kmsKeyArn: values.kmsKeyArn || undefined,
    },
    // The defaults shape a new network; an existing one is used as it is.
    network: values.network?.existing ? values.network : over(defaults.network, values.network),
    database: chosenCapacity(over(defaults.database, values.database), values.database),
    auditDatabaseName: values.auditDatabaseName || undefined,
    kafka: over(defaults.kafka, values.kafka),
    pipeline: {
      sourceId: values.sourceId ?? "",
      tables: values.tables ?? [],
      topics: over(defaults.topics, values.topics),
      lobMaxSizeKilobytes: values.lobMaxSizeKilobytes,
      unboundedVarcharMaxBytes: values.unboundedVarcharMaxBytes,
      capture: over(defaults.capture, values.capture),
      transformer: over(defaults.transformer, values.transformer),
      sink: over(defaults.sink, values.sink),
      operator: over(defaults.operator, values.operator),
      review: chosenPage(values.review),
      alarms: values.alarms ?? {},
    },
  };
}

/** The page's settings as its component takes them; none while the stack names none. The component says what is missing. */
function chosenPage(written: ReviewSettings = {}): PipelineReviewArgs | undefined {
  return Object.keys(written).length === 0 ? undefined : (written as PipelineReviewArgs);
}

/** One object's members over another's; a member that is an object itself is taken whole. */
function over<T extends object>(defaults: T, written: Partial<T> = {}): T {
  return { ...defaults, ...written };
}

/** A written `instanceClass` takes the place of the default `serverless`. */
function chosenCapacity(merged: DatabaseSettings, written: DatabaseSettings = {}): DatabaseSettings {
  return written.instanceClass === undefined ? merged : { ...merged, serverless: written.serverless };
}
