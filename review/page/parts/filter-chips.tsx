import type { Filter, Window } from "../../api";
import { addressOf, conditionsOf, draftOf, filterOf, millisecondsOf, momentOf, withoutTime } from "../../query";
import { Link, navigate } from "../browser/location";
import { usePreferences } from "../browser/preferences";
import { durationText, momentText } from "../reading/time-text";
import { keyText } from "../reading/words";

const names: Readonly<Record<string, string>> = {
  operation: "operation",
  transaction: "transaction",
  from: "from",
  to: "before",
  text: "text",
};

export const feedAddress = (filter: Filter) => {
  const query = addressOf(filter);
  return query === "" ? "/" : `/?${query}`;
};

/** The conditions of the view, each of which can be taken away; first of all its span of time. */
export function FilterChips({ filter, window }: { readonly filter: Filter; readonly window: Window | undefined }) {
  const conditions = conditionsOf(filter).filter(({ name }) => name !== "from" && name !== "to");
  return (
    <ul class="chips" aria-label="What is shown">
      <li>
        <WindowChip filter={filter} window={window} />
      </li>
      {conditions.map(({ name, value, isExcluded, without }) => (
        <li key={`${isExcluded} ${name} ${value}`} class={isExcluded ? "chip is-excluded" : "chip"}>
          <span class="chip-name">{`${isExcluded ? "not " : ""}${names[name] ?? name}`}</span>
          <span class="chip-value">{name === "key" ? keyText(value) : value}</span>
          <Link to={feedAddress(without)} class="chip-remove" aria-label={`Take away ${name} ${value}`}>
            ×
          </Link>
        </li>
      ))}
    </ul>
  );
}

const hour = 3_600;
const spans: readonly (readonly [seconds: number, name: string])[] = [
  [hour, "Last hour"],
  [24 * hour, "Last 24 hours"],
  [7 * 24 * hour, "Last 7 days"],
  [30 * 24 * hour, "Last 30 days"],
  [365 * 24 * hour, "Last year"],
];

/** The span that is shown, said whether it was asked for or is the default, with others to choose. */
function WindowChip({ filter, window }: { readonly filter: Filter; readonly window: Window | undefined }) {
  const { zone } = usePreferences();
  const choose = (event: Event & { currentTarget: HTMLSelectElement }) => {
    const seconds = Number(event.currentTarget.value);
    const rest = withoutTime(filter);
    if (Number.isNaN(seconds)) return;
    const from = momentOf(new Date(Date.now() - seconds * 1000));
    navigate(feedAddress(seconds === 0 ? rest : filterOf({ ...draftOf(rest), from })));
  };
  return (
    <label class="chip is-window">
      <span class="visually-hidden">Span of time</span>
      <select onChange={choose} value="now">
        <option value="now">{window ? windowText(filter, window, zone) : "Span of time"}</option>
        {spans.map(([seconds, name]) => (
          <option key={seconds} value={seconds}>
            {name}
          </option>
        ))}
        <option value="0">The default</option>
      </select>
    </label>
  );
}

function windowText(filter: Filter, window: Window, zone: "UTC" | "local"): string {
  const [from, to] = [momentText(window.from, zone), momentText(window.to, zone)];
  if (window.isDefault) {
    const length = durationText((millisecondsOf(window.to) - millisecondsOf(window.from)) / 1000);
    return filter.to === undefined ? `Last ${length} (default)` : `${length} before ${to} (default)`;
  }
  return filter.to === undefined ? `From ${from} until now` : `From ${from} until ${to}`;
}
