import type { Moment } from "../../api";
import { millisecondsOf } from "../../query";

export type TimeZone = "UTC" | "local";

const zoneOf = (zone: TimeZone) => (zone === "UTC" ? { timeZone: "UTC" } : {});

const forms = new Map<string, Intl.DateTimeFormat>();
function format(zone: TimeZone, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${name}`;
  const form = forms.get(key) ?? new Intl.DateTimeFormat("en-GB", { ...options, ...zoneOf(zone) });
  forms.set(key, form);
  return form;
}

const clockTime = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

/** `14:03:22`. */
export const timeOfDay = (moment: Moment, zone: TimeZone) =>
  format(zone, "time", clockTime).format(millisecondsOf(moment));

/** `2026-11-05`, which sorts and can be typed into the search box. */
export function dateText(moment: Moment, zone: TimeZone): string {
  const parts = format(zone, "date", { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(
    millisecondsOf(moment),
  );
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

/** `Thursday 5 November 2026`, for headings. */
export const dayText = (moment: Moment, zone: TimeZone) =>
  format(zone, "day", { weekday: "long", day: "numeric", month: "long", year: "numeric" })
    .format(millisecondsOf(moment))
    .replace(",", "");

/** `2026-11-05 14:03:22`, with microseconds when asked. */
export function momentText(moment: Moment, zone: TimeZone, isExact = false): string {
  const fraction = isExact ? (/\.(\d+)/.exec(moment)?.[0] ?? "") : "";
  return `${dateText(moment, zone)} ${timeOfDay(moment, zone)}${fraction}`;
}

/** What the reader's zone is called: `Europe/Berlin`. */
export const localZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A moment in both zones to the microsecond, as a line under the pointer says it. */
export function bothZones(moment: Moment): string {
  return `${momentText(moment, "UTC", true)} UTC\n${momentText(moment, "local", true)} ${localZone()}`;
}

/** Units, and from how many seconds on they are used: `36 hours` tells more than `1 day`. */
const steps: readonly (readonly [from: number, unit: number, name: string])[] = [
  [2 * 86_400, 86_400, "day"],
  [3_600, 3_600, "hour"],
  [60, 60, "minute"],
  [0, 1, "second"],
];

/** `3 minutes ago`, or undefined for what is too long ago to be said so. */
export function agoText(moment: Moment, now: number): string | undefined {
  const seconds = Math.round((now - millisecondsOf(moment)) / 1000);
  if (seconds < 2) return seconds > -5 ? "just now" : undefined;
  if (seconds >= 2 * 86_400) return undefined;
  return `${durationText(seconds)} ago`;
}

/** `3 minutes`, of the largest unit alone. */
export function durationText(seconds: number): string {
  const [, unit, name] = steps.find(([from]) => seconds >= from) ?? [0, 1, "second"];
  const count = Math.round(seconds / unit);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
