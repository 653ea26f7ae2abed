import { join, resolve } from "node:path";
import { placeholderSecret } from "./stack-settings";
import { type RecordOptions, type Recording, recordStack } from "./recorder";

const projectFolder = resolve(__dirname, "..");

/** The stacks whose recordings are kept as golden files and checked. */
export const recordedStacks = ["dev", "prod"] as const;

/** The golden file of a stack or of a variant. */
export function goldenFile(stack: string): string {
  return join(__dirname, "goldens", `${stack}.yaml`);
}

/** A page with a login at an example provider, for the people of one network. */
export const examplePage = {
  hostName: "audit.example.com",
  certificateArn: "arn:aws:acm:eu-central-1:111122223333:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
  clientCidrs: ["10.8.0.0/16"],
  oidc: {
    issuer: "https://login.example.com",
    authorizationEndpoint: "https://login.example.com/authorize",
    tokenEndpoint: "https://login.example.com/token",
    userInfoEndpoint: "https://login.example.com/userinfo",
    clientId: "audit-page",
    clientSecret: placeholderSecret,
  },
  groups: [
    { name: "auditors", tables: ["*"], reveal: true },
    { name: "support", tables: ["shop.*"] },
  ],
  maskedColumns: ["shop.customers.email"],
  imageBuildContext: "recorder/stand-ins/build-context",
};

/** What a stack is recorded with beside its own settings, and the stack. */
interface Variant {
  readonly stack: (typeof recordedStacks)[number];
  readonly options: Pick<RecordOptions, "config" | "secretKeys">;
}

/** Recordings of which the difference to their stack is kept as a golden file. */
export const recordedVariants = {
  "dev-with-review": {
    stack: "dev",
    options: { config: { "cdc-audit:review": examplePage }, secretKeys: ["cdc-audit:review"] },
  },
} as const satisfies Readonly<Record<string, Variant>>;
export type VariantName = keyof typeof recordedVariants;
export const variantNames = Object.keys(recordedVariants) as VariantName[];

/** Records a stack with what a variant changes. */
export function recordVariant(
  name: VariantName,
  beside: Pick<RecordOptions, "preview" | "stackName"> = {},
): Promise<Recording> {
  const { stack, options } = recordedVariants[name];
  return recordProgram(stack, { ...options, ...beside });
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
