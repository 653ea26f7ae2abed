import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkMaintenanceWindow, checkNoOverlap } from "../../../components/shared/maintenance-windows";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const minutesPerWeek = 7 * 24 * 60;

/** `sun:03:00` for a minute of the week. */
function moment(minute: number): string {
  const inWeek = minute % minutesPerWeek;
  const two = (value: number) => String(value).padStart(2, "0");
  return `${days[Math.floor(inWeek / 1440)]}:${two(Math.floor((inWeek % 1440) / 60))}:${two(inWeek % 60)}`;
}

const windows = fc.record({
  start: fc.integer({ min: 0, max: minutesPerWeek - 1 }),
  minutes: fc.integer({ min: 0, max: minutesPerWeek - 1 }),
});
const text = ({ start, minutes }: { start: number; minutes: number }) => `${moment(start)}-${moment(start + minutes)}`;

describe("a maintenance window", () => {
  it("is taken when it lasts half an hour or more and less than a day, over the end of the week too", () => {
    fc.assert(
      fc.property(windows, (window) => {
        const problems = checkMaintenanceWindow("window", text(window));
        expect(problems.length === 0).toBe(window.minutes >= 30 && window.minutes < 1440);
      }),
      {
        examples: [
          [{ start: minutesPerWeek - 15, minutes: 30 }],
          [{ start: 0, minutes: 29 }],
          [{ start: 0, minutes: 1440 }],
        ],
      },
    );
  });

  it.each(["Sun:03:00-Sun:04:00", "sun:24:00-mon:01:00", "sun:3:00-sun:4:00", "sun:03:00", "", "sonntags"])(
    "is not written as %s",
    (window) => {
      expect(checkMaintenanceWindow("window", window)).toHaveLength(1);
    },
  );

  it("is left to AWS when it is not known yet", () => {
    expect(checkMaintenanceWindow("window", pulumi.output("sun"))).toEqual([]);
    expect(checkMaintenanceWindow("window", undefined)).toEqual([]);
  });
});

describe("two windows", () => {
  const overlap = (one: string | pulumi.Output<string>, other: string) =>
    checkNoOverlap({ setting: "one", window: one }, { setting: "other", window: other }, "why").length > 0;

  it("meet when a minute is in both, whichever is named first", () => {
    const short = windows.map(({ start, minutes }) => ({ start, minutes: 1 + (minutes % 1439) }));
    fc.assert(
      fc.property(short, short, (one, other) => {
        const minutesOf = (window: typeof one) =>
          new Set(Array.from({ length: window.minutes }, (_, index) => (window.start + index) % minutesPerWeek));
        const others = minutesOf(other);
        const expected = [...minutesOf(one)].some((minute) => others.has(minute));
        expect(overlap(text(one), text(other))).toBe(expected);
        expect(overlap(text(other), text(one))).toBe(expected);
      }),
    );
  });

  it("are not compared when one is malformed or not known yet", () => {
    expect(overlap("sun", "sun:03:00-sun:04:00")).toBe(false);
    expect(overlap(pulumi.output("sun:03:00-sun:04:00"), "sun:03:00-sun:04:00")).toBe(false);
  });
});
