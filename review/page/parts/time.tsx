import type { Moment } from "../../api";
import { usePreferences } from "../browser/preferences";
import { bothZones, dateText, momentText, timeOfDay } from "../reading/time-text";

/** A time in the zone that the reader chose; under the pointer it stands in both, to the microsecond. */
export function Time({
  at,
  form = "full",
}: {
  readonly at: Moment;
  readonly form?: "full" | "time" | "date" | "exact";
}) {
  const { zone } = usePreferences();
  const text = {
    full: () => momentText(at, zone),
    exact: () => momentText(at, zone, true),
    time: () => timeOfDay(at, zone),
    date: () => dateText(at, zone),
  }[form]();
  return (
    <time class="time" dateTime={at} title={bothZones(at)}>
      {text}
    </time>
  );
}
