import { useEffect, useMemo, useState } from "preact/hooks";
import { type Blame, type Comparison, routes } from "../../api";
import { momentOf, readTime } from "../../query";
import { questionTo } from "../browser/client";
import { addressWith, Link, navigate, type Place } from "../browser/location";
import { usePreferences } from "../browser/preferences";
import { useAnswer } from "../browser/use-answer";
import { type Stop, stopAt } from "../reading/steps";
import { momentText } from "../reading/time-text";
import { announce } from "./announcer";
import { BlameTable } from "./blame-table";
import { AsOfTable, ComparisonTable } from "./comparison-table";
import { Waiting } from "./states";
import { Time } from "./time";

interface RecordRef {
  readonly table: string;
  readonly key: string;
  readonly source: string;
}

interface StateProps {
  readonly place: Place;
  readonly record: RecordRef;
  readonly stops: readonly Stop[];
}

/** What the record is and who wrote it, what it was at a moment, or what differs between two: as the address says. */
export function RecordState({ place, record, stops }: StateProps) {
  const query = new URLSearchParams(place.query);
  const [at, from, to] = ["at", "from", "to"].map((name) => query.get(name) ?? undefined);
  const view = at !== undefined ? "at" : from !== undefined ? "compare" : "now";
  const newest = stops.at(-1)?.time;
  const oldest = stops[0]?.time;
  const tab = (name: typeof view, label: string, address: string) => (
    <Link to={address} aria-current={view === name ? "page" : undefined}>
      {label}
    </Link>
  );
  return (
    <section class="panel" aria-labelledby="state-title">
      <h2 id="state-title" class="visually-hidden">
        State
      </h2>
      <nav class="tabs" aria-label="State">
        {tab("now", "Now", addressWith(place, { at: undefined, from: undefined, to: undefined }))}
        {tab(
          "at",
          "As it was",
          addressWith(place, { at: newest ?? momentOf(new Date()), from: undefined, to: undefined }),
        )}
        {tab("compare", "Compare", addressWith(place, { from: oldest ?? momentOf(new Date()), at: undefined }))}
      </nav>
      {view === "now" && <Now record={record} />}
      {at !== undefined && <AsItWas place={place} record={record} stops={stops} at={at} />}
      {view === "compare" && from !== undefined && (
        <Compare place={place} record={record} stops={stops} from={from} to={to} />
      )}
    </section>
  );
}

function Now({ record }: { readonly record: RecordRef }) {
  const asked = useAnswer<Blame>(questionTo(routes.blame, { ...record }));
  return asked.answer ? <BlameTable blame={asked.answer} /> : <Waiting asked={asked} lines={5} />;
}

/** How long the slider waits for the hand to rest. */
const rest = 150;

function AsItWas({ place, record, stops, at }: StateProps & { readonly at: string }) {
  const { zone } = usePreferences();
  const now = useNowOnce(stops);
  const [chosen, setChosen] = useState(() => stopAt(stops, at));
  useEffect(() => setChosen(stopAt(stops, at)), [at, stops.length]);
  const asked = useAnswer<Comparison>(questionTo(routes.compare, { ...record, from: at, to: now }), true);
  useEffect(() => {
    const stop = stops[chosen];
    if (!stop || stopAt(stops, at) === chosen) return undefined;
    const timer = setTimeout(() => navigate(addressWith(place, { at: stop.time }), "replace"), rest);
    return () => clearTimeout(timer);
  }, [chosen]);
  const stop = stops[chosen];
  return (
    <>
      <div class="slider">
        <label>
          <span class="visually-hidden">Moment of its life</span>
          <input
            type="range"
            min={0}
            max={Math.max(0, stops.length - 1)}
            step={1}
            value={Math.max(0, chosen)}
            aria-valuetext={stop ? `${momentText(stop.time, zone)}, ${stop.label}` : "before its first step"}
            onInput={(event) => setChosen(Number(event.currentTarget.value))}
          />
        </label>
        <p class="slider-label">
          <Time at={stop && stopAt(stops, at) !== chosen ? stop.time : at} form="exact" />
          <span class="quiet">{stop ? ` ${stop.label}` : " before its first step"}</span>
        </p>
        <MomentField place={place} />
      </div>
      {asked.answer ? <AsOfTable comparison={asked.answer} /> : null}
      {asked.state !== "ready" && (!asked.answer || asked.state !== "loading") && <Waiting asked={asked} lines={5} />}
    </>
  );
}

/** Any moment, written as in the search box. */
function MomentField({ place }: { readonly place: Place }) {
  const { zone } = usePreferences();
  const [text, setText] = useState("");
  const go = (event: Event) => {
    event.preventDefault();
    const span = readTime(text, { now: new Date(), zone });
    if (span) navigate(addressWith(place, { at: span.from }));
    else announce(`${text} is no time such as 2026-11-05T14:30 or yesterday.`);
  };
  return (
    <form class="moment-field" onSubmit={go}>
      <label>
        <span class="visually-hidden">Another moment</span>
        <input
          type="text"
          placeholder="yesterday, 2026-11-05T14:30…"
          value={text}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button">
        Go
      </button>
    </form>
  );
}

interface CompareProps extends StateProps {
  readonly from: string;
  readonly to: string | undefined;
}

function Compare({ place, record, stops, from, to }: CompareProps) {
  const now = useNowOnce(stops);
  const asked = useAnswer<Comparison>(questionTo(routes.compare, { ...record, from, to: to ?? now }), true);
  return (
    <>
      <div class="compare-fields">
        <MomentSelect
          label="From"
          stops={stops}
          chosen={from}
          onChoose={(time) => navigate(addressWith(place, { from: time }))}
        />
        <MomentSelect
          label="To"
          stops={stops}
          chosen={to}
          hasNow
          onChoose={(time) => navigate(addressWith(place, { to: time }))}
        />
      </div>
      {asked.answer ? <ComparisonTable comparison={asked.answer} /> : null}
      {asked.state !== "ready" && (!asked.answer || asked.state !== "loading") && <Waiting asked={asked} lines={5} />}
    </>
  );
}

interface MomentSelectProps {
  readonly label: string;
  readonly stops: readonly Stop[];
  readonly chosen: string | undefined;
  readonly hasNow?: boolean;
  readonly onChoose: (time: string | undefined) => void;
}

function MomentSelect({ label, stops, chosen, hasNow = false, onChoose }: MomentSelectProps) {
  const { zone } = usePreferences();
  const isAmong = chosen === undefined || stops.some(({ time }) => time === chosen);
  return (
    <label class="field">
      {label}
      <select value={chosen ?? ""} onChange={(event) => onChoose(event.currentTarget.value || undefined)}>
        {hasNow && <option value="">now</option>}
        {!isAmong && chosen !== undefined && <option value={chosen}>{momentText(chosen, zone)}</option>}
        {stops.toReversed().map(({ time, label: what }) => (
          <option key={time} value={time}>
            {`${momentText(time, zone)} ${what}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** One now for the whole view, so that it is asked once; not before the last step, whatever this machine's clock says. */
function useNowOnce(stops: readonly Stop[]): string {
  const now = useMemo(() => momentOf(new Date()), []);
  const newest = stops.at(-1)?.time ?? now;
  return newest > now ? newest : now;
}
