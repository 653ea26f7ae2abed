import * as pulumi from "@pulumi/pulumi";
import { type VersionedService, compareVersions } from "../../contract/lifetimes";
import { problemText } from "./checks";
import { settingNames } from "./lifetimes";

/** A version that a program asks for. */
export interface AskedVersion {
  readonly service: VersionedService;
  /** The argument that sets it. */
  readonly setting: string;
  readonly version: pulumi.Input<string>;
  /** What runs it, as a phrase: `the cluster audit`. */
  readonly owner: string;
  /** The version that runs in AWS. A rejection means that nothing runs yet. */
  readonly running: () => Promise<string>;
}

/** As {@link neverLowered}, of a version that is known. */
export async function notBelowRunning(
  version: string,
  asked: Omit<AskedVersion, "version">,
  component: pulumi.Resource,
): Promise<string> {
  const running = await asked.running().catch(() => undefined);
  if (running === undefined || compareVersions(version, running) >= 0) return version;
  const text = problemText({
    setting: settingNames(asked.service, asked.setting),
    value: version,
    allowed: `${running} or newer: AWS has raised ${asked.owner} to it, and nothing can be lowered`,
    fix: `Set it to ${running}, and deploy with pulumi up --refresh, which learns what runs.`,
  });
  throw new pulumi.ResourceError(text, component, true);
}

/**
 * The version to deploy. AWS raises versions by itself once they have ended, and lowers none: some services would be replaced,
 * the others fail. So a program that still asks for the former version is told which one to ask for.
 *
 * @throws pulumi.ResourceError, in the output, when a newer version runs.
 */
export function neverLowered(asked: AskedVersion, component: pulumi.Resource): pulumi.Output<string> {
  return pulumi.output(asked.version).apply((version) => notBelowRunning(version, asked, component));
}
