import * as pulumi from "@pulumi/pulumi";
import { type VersionedService, closedSince, endsSoon, lifetimes, openVersions } from "../../contract/lifetimes";
import { type Problem, known } from "./checks";

/** A version that a component deploys. */
export interface DeployedVersion {
  readonly service: VersionedService;
  /** The argument that sets it. Absent: the component chooses it, and a new version of the package another one. */
  readonly setting?: string;
  readonly version: pulumi.Input<string>;
  /** The version that the component deploys unless told otherwise: the one that this package was tried with. */
  readonly usual?: string;
}

/**
 * A problem when nothing new can be made with a version any more. Unknown versions pass.
 *
 * @param usable Which of the versions that are left would do. Default: all.
 */
export function checkLifetime(
  { service, setting = "version", version: input, usual }: DeployedVersion,
  now: Date,
  usable: (version: string) => boolean = () => true,
): Problem[] {
  const version = known(input);
  const closed = version === undefined ? undefined : closedSince(service, version, now);
  if (version === undefined || closed === undefined) return [];
  const open = openVersions(service, now).filter(usable);
  const better = betterVersion(open, usual);
  return [
    {
      setting,
      value: version,
      allowed: `${open.join(", ") || "a newer version"}: nothing new can be made with ${lifetimes[service].service} ${version} since ${closed}`,
      fix: better
        ? `Set ${setting} to ${better}. What runs with an older one is upgraded in place.`
        : `Set ${setting} to the version that AWS has now, or take a newer version of this package, which knows it.`,
    },
  ];
}

/** An argument that sets a version, also by the name that it has among the settings of a stack. */
export function settingNames(service: VersionedService, argument: string): string {
  const { setting } = lifetimes[service];
  return setting === undefined || setting === argument ? argument : `${argument} (in a stack's settings ${setting})`;
}

/** What to say at every preview of versions that end soon, or have ended. */
export function endWarnings(versions: readonly DeployedVersion[], now: Date): string[] {
  return versions.flatMap(({ service, setting, version: input, usual }) => {
    const version = known(input);
    const end = version === undefined ? undefined : endsSoon(service, version, now);
    if (version === undefined || end === undefined) return [];
    const lasting = openVersions(service, now).filter((each) => endsSoon(service, each, now) === undefined);
    const better = betterVersion(lasting, usual);
    const fix =
      setting === undefined
        ? "Take a newer version of this package."
        : better === undefined
          ? `Look for a newer one, and set ${settingNames(service, setting)} to it.`
          : `Set ${settingNames(service, setting)} to ${better}.`;
    return [
      `${lifetimes[service].service} ${version} ends on ${end}. ${lifetimes[service].atItsEnd} ${fix} (docs/runbook.md, "Versions end")`,
    ];
  });
}

/** Of the versions that would do, the usual one, else the newest. */
function betterVersion(candidates: readonly string[], usual: string | undefined): string | undefined {
  return candidates.find((version) => version === usual) ?? candidates.at(-1);
}

/** Warns, at each preview and update, of the versions of a component that end soon. */
export function warnOfEnds(versions: readonly DeployedVersion[], component: pulumi.Resource): void {
  for (const text of endWarnings(versions, new Date())) void pulumi.log.warn(text, component);
}
