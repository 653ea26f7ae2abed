import type { Moment } from "../api";

/** What a time that a person writes is seen from. */
export interface Clock {
  readonly now: Date;
  /** Which zone a time without one is in. */
  readonly zone: "UTC" | "local";
}

/** A stretch of time; a moment is one whose ends are equal. */
export interface Span {
  readonly from: Moment;
  readonly to: Moment;
}

/** What a person may write, as a help text says it. */
export const timeExamples =
  "2h, 30m, 3d, yesterday, monday, 14:30, 2026-11-05, 2026-11-05T14:30 or 2026-11-05T14:30:00Z";

const minute = 60_000;
const units: Readonly<Record<string, number>> = {
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: minute,
  min: minute,
  minute,
  h: 60 * minute,
  hour: 60 * minute,
  d: 24 * 60 * minute,
  day: 24 * 60 * minute,
  w: 7 * 24 * 60 * minute,
  week: 7 * 24 * 60 * minute,
};
const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** A moment as the log writes it. */
export function momentOf(date: Date): Moment {
  return date.toISOString().replace("Z", "000Z");
}

/** The milliseconds of a moment since 1970; its microseconds are cut off. */
export function millisecondsOf(moment: Moment): number {
  return Date.parse(moment.replace(/(\.\d{3})\d*/, "$1"));
}

/**
 * The stretch of time that a text means: a day for `yesterday` and `2026-11-05`, a minute for `14:30`, a moment for
 * `2h` and whatever has seconds. Undefined when it is none.
 */
export function readTime(text: string, clock: Clock): Span | undefined {
  const said = text.trim().toLowerCase();
  return readAgo(said, clock) ?? readNamedDay(said, clock) ?? readTimeOfDay(said, clock) ?? readDate(said, clock);
}

function readAgo(said: string, { now }: Clock): Span | undefined {
  if (said === "now") return moment(now);
  const match = /^(\d{1,6}(?:\.\d{1,3})?)\s*([a-z]+?)s?(?:\s+ago)?$/.exec(said);
  const unit = match && units[match[2] as string];
  if (!match || !unit) return undefined;
  const date = new Date(now.getTime() - Number(match[1]) * unit);
  return isWritable(date) ? moment(date) : undefined;
}

function readNamedDay(said: string, clock: Clock): Span | undefined {
  if (said === "today") return dayBack(0, clock);
  if (said === "yesterday") return dayBack(1, clock);
  const named = said.length < 3 ? -1 : weekdays.findIndex((day) => day === said || day.slice(0, 3) === said);
  if (named < 0) return undefined;
  const today = clock.zone === "UTC" ? clock.now.getUTCDay() : clock.now.getDay();
  // The last one that is over: on a Monday, "monday" is a week ago.
  return dayBack((today - named + 7) % 7 || 7, clock);
}

function readTimeOfDay(said: string, clock: Clock): Span | undefined {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(said);
  if (!match) return undefined;
  const [year, month, day] = dateParts(clock);
  const at = dateIn(clock.zone, [year, month, day, Number(match[1]), Number(match[2])]);
  // A time that is still to come today was meant of yesterday.
  const start = at > clock.now ? dateIn(clock.zone, [year, month, day - 1, Number(match[1]), Number(match[2])]) : at;
  return { from: momentOf(start), to: momentOf(new Date(start.getTime() + minute)) };
}

const dateForm = /^(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s*(z|[+-]\d\d:?\d\d)?)?$/;

function readDate(said: string, { zone }: Clock): Span | undefined {
  const match = dateForm.exec(said);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (match[4] === undefined) {
    const [from, to] = [dateIn(zone, [year, month - 1, day]), dateIn(zone, [year, month - 1, day + 1])];
    return isWritable(to) ? { from: momentOf(from), to: momentOf(to) } : undefined;
  }
  const [hour, minutes, seconds] = [Number(match[4]), Number(match[5]), Number(match[6] ?? 0)];
  if (hour > 23 || minutes > 59 || seconds > 59) return undefined;
  const offset = match[8] && offsetOf(match[8]);
  const parts = [year, month - 1, day, hour, minutes, seconds] as const;
  const date =
    offset === undefined || offset === ""
      ? dateIn(zone, parts)
      : new Date(dateIn("UTC", parts).getTime() - offset * minute);
  if (!isWritable(date)) return undefined;
  if (match[6] === undefined) {
    const to = new Date(date.getTime() + minute);
    return isWritable(to) ? { from: momentOf(date), to: momentOf(to) } : undefined;
  }
  const text = date.toISOString().replace(/\.\d+Z$/, `.${(match[7] ?? "").padEnd(6, "0")}Z`);
  return { from: text, to: text };
}

const daysOf = (year: number, month: number) => dateIn("UTC", [year, month, 0]).getUTCDate();

/** Minutes east of Greenwich. */
function offsetOf(zone: string): number {
  if (zone === "z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone.startsWith("-") ? -minutes : minutes;
}

function dateIn(zone: Clock["zone"], parts: readonly number[]): Date {
  const [year = 1970, month = 0, day = 1, hour = 0, minutes = 0, seconds = 0] = parts;
  const date = new Date(0);
  // Not by the constructor, which reads the years below 100 as of the last century.
  if (zone === "UTC") {
    date.setUTCFullYear(year, month, day);
    date.setUTCHours(hour, minutes, seconds, 0);
  } else {
    date.setFullYear(year, month, day);
    date.setHours(hour, minutes, seconds, 0);
  }
  return date;
}

function dateParts({ now, zone }: Clock): [number, number, number] {
  return zone === "UTC"
    ? [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()]
    : [now.getFullYear(), now.getMonth(), now.getDate()];
}

function dayBack(days: number, clock: Clock): Span {
  const [year, month, day] = dateParts(clock);
  return {
    from: momentOf(dateIn(clock.zone, [year, month, day - days])),
    to: momentOf(dateIn(clock.zone, [year, month, day - days + 1])),
  };
}

/** The log holds the years 1 to 9999. */
const isWritable = (date: Date) => /^\d{4}-/.test(date.toISOString()) && !date.toISOString().startsWith("0000");

function moment(date: Date): Span {
  return { from: momentOf(date), to: momentOf(date) };
}
