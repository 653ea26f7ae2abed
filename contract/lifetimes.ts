import table from "./version-lifetimes.json";

/** How long a version lives. Where the sources differ, all their dates stand here, the earliest first. */
export interface Lifetime {
  /** Last day on which something new can be made with it. Absent: the day of its end, or not published. */
  readonly noNewAfter?: readonly string[];
  /** Last day of support, after which AWS upgrades what runs. Absent: not published. */
  readonly ends?: readonly string[];
}

/** The versions of one service, with where their dates were read. */
export interface ServiceLifetimes {
  readonly service: string;
  /** The setting of a stack that chooses the version. Absent: the components choose it. */
  readonly setting?: string;
  readonly source: string;
  /** Day on which the source was read. */
  readonly read: string;
  readonly atItsEnd: string;
  /** By version as {@link versionKey} has it, oldest first. */
  readonly versions: Readonly<Record<string, Lifetime>>;
}
export type VersionedService = keyof typeof table;

export const lifetimes: Readonly<Record<VersionedService, ServiceLifetimes>> = table;

/** Days before a version's end at which people are told. */
export const warningDays = 180;

const millisecondsPerDay = 86_400_000;

/** A version as the table spells it: without the minor version of PostgreSQL and without the suffix of KRaft. */
export function versionKey(service: VersionedService, version: string): string {
  if (service === "auroraPostgres") return version.split(".")[0] ?? version;
  return version.replace(/\.kraft$/, "");
}

/** A version of the table as the setting takes it. */
export function settingValue(service: VersionedService, key: string): string {
  return service === "kafka" ? `${key}.kraft` : key;
}

function lifetimeOf(service: VersionedService, version: string): Lifetime {
  return lifetimes[service].versions[versionKey(service, version)] ?? {};
}

/** The last day on which something new could be made with a version, if that day has passed by every source. */
export function closedSince(service: VersionedService, version: string, now: Date): string | undefined {
  const { noNewAfter, ends } = lifetimeOf(service, version);
  const last = noNewAfter?.at(-1) ?? ends?.at(-1);
  return last !== undefined && daysUntil(last, now) < 0 ? last : undefined;
}

/** The day on which a version ends, if it is at most {@link warningDays} away by any source, or has passed. */
export function endsSoon(service: VersionedService, version: string, now: Date): string | undefined {
  const end = lifetimeOf(service, version).ends?.[0];
  return end !== undefined && daysUntil(end, now) <= warningDays ? end : undefined;
}

/** The day on which the first of some versions ends, by any source. */
export function firstEnd(versions: readonly (readonly [VersionedService, string])[]): string | undefined {
  return versions
    .flatMap(([service, version]) => lifetimeOf(service, version).ends?.[0] ?? [])
    .sort()
    .at(0);
}

/** The versions with which something new can be made, oldest first, as the setting takes them. */
export function openVersions(service: VersionedService, now: Date): string[] {
  return Object.keys(lifetimes[service].versions)
    .filter((version) => closedSince(service, version, now) === undefined)
    .map((version) => settingValue(service, version));
}

/** Whole days until the end of a day; negative once it is over. */
export function daysUntil(day: string, now: Date): number {
  return Math.floor((Date.parse(`${day}T24:00:00Z`) - now.getTime()) / millisecondsPerDay);
}

/** Positive when the first version is the newer; a part that is not given, or is `x`, equals any. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (const [index, part] of left.entries()) {
    const difference = part - (right[index] ?? Number.NaN);
    if (difference > 0 || difference < 0) return difference;
  }
  return 0;
}
