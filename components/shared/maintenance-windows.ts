import type * as pulumi from "@pulumi/pulumi";
import { type Problem, known } from "./checks";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const minutesPerDay = 24 * 60;
const minutesPerWeek = 7 * minutesPerDay;

/** AWS takes no shorter window. */
const fewestMinutes = 30;

/** A span of time that comes again, in minutes since Monday 00:00 or, of a daily one, since 00:00. It may wrap round. */
interface Window {
  readonly start: number;
  readonly minutes: number;
}

const time = "([01]\\d|2[0-3]):([0-5]\\d)";
const day = `(${days.join("|")})`;
const weeklyForm = new RegExp(`^${day}:${time}-${day}:${time}$`);
const dailyForm = new RegExp(`^${time}-${time}$`);

function span(start: number, end: number, cycle: number): Window {
  return { start, minutes: (end - start + cycle) % cycle };
}

function weeklyWindow(text: string): Window | undefined {
  const [, startDay, startHour, startMinute, endDay, endHour, endMinute] = weeklyForm.exec(text) ?? [];
  if (startDay === undefined) return undefined;
  const at = (name = "", hour = "", minute = "") =>
    days.findIndex((each) => each === name) * minutesPerDay + Number(hour) * 60 + Number(minute);
  return span(at(startDay, startHour, startMinute), at(endDay, endHour, endMinute), minutesPerWeek);
}

function dailyWindow(text: string): Window | undefined {
  const match = dailyForm.exec(text);
  if (!match) return undefined;
  const [startHour, startMinute, endHour, endMinute] = match.slice(1).map(Number) as [number, number, number, number];
  return span(startHour * 60 + startMinute, endHour * 60 + endMinute, minutesPerDay);
}

/** A problem unless the text is a weekly window that AWS takes; unknown values pass. */
export function checkMaintenanceWindow(
  setting: string,
  input: pulumi.Input<string | undefined> | undefined,
): Problem[] {
  return checkWindow(setting, known(input), weeklyWindow, "a weekly window in UTC such as sun:03:00-sun:04:00");
}

/** A problem unless the text is a daily window that AWS takes; unknown values pass. */
export function checkBackupWindow(setting: string, input: pulumi.Input<string | undefined> | undefined): Problem[] {
  return checkWindow(setting, known(input), dailyWindow, "a daily window in UTC such as 01:00-01:30");
}

function checkWindow(
  setting: string,
  value: string | undefined,
  parse: (text: string) => Window | undefined,
  form: string,
): Problem[] {
  if (value === undefined) return [];
  const window = parse(value);
  const fits = window !== undefined && window.minutes >= fewestMinutes && window.minutes < minutesPerDay;
  if (fits) return [];
  // An end before the start is a window of nearly a whole week.
  const fault =
    window === undefined
      ? ""
      : window.minutes < fewestMinutes
        ? `; this one is ${window.minutes} minutes long`
        : "; this one ends before it starts";
  return [
    {
      setting,
      value,
      allowed: `${form}, of at least ${fewestMinutes} minutes and less than a day${fault}`,
      fix: `Set ${setting} to such a window.`,
    },
  ];
}

/** A window, with the setting that holds it. */
export interface NamedWindow {
  readonly setting: string;
  readonly window: pulumi.Input<string | undefined> | undefined;
}

/** A problem when two windows, weekly or daily, are open at once; unknown and malformed ones pass. */
export function checkNoOverlap(one: NamedWindow, other: NamedWindow, why: string): Problem[] {
  const [value, otherValue] = [known(one.window), known(other.window)];
  if (value === undefined || otherValue === undefined) return [];
  const [spans, others] = [occurrences(value), occurrences(otherValue)];
  if (!spans.some((span) => others.some((each) => meet(span, each)))) return [];
  return [
    {
      setting: one.setting,
      value,
      allowed: `a window apart from ${other.setting} (${otherValue}): ${why}`,
      fix: `Move ${one.setting} or ${other.setting}.`,
    },
  ];
}

/** When a window is open in a week: once, or for a daily one on each day. */
function occurrences(text: string): Window[] {
  const weekly = weeklyWindow(text);
  if (weekly) return [weekly];
  const daily = dailyWindow(text);
  return daily ? days.map((_, index) => ({ ...daily, start: daily.start + index * minutesPerDay })) : [];
}

function meet(one: Window, other: Window): boolean {
  const after = (start: number, from: number) => (start - from + minutesPerWeek) % minutesPerWeek;
  return after(other.start, one.start) < one.minutes || after(one.start, other.start) < other.minutes;
}
