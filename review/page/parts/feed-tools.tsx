import { type Filter, routes, type Window } from "../../api";
import type { Arrivals } from "../browser/arrivals";
import { questionTo } from "../browser/client";
import { Link } from "../browser/location";
import { undoOfSpan } from "../reading/addresses";

interface FeedToolsProps {
  readonly filter: Filter;
  readonly window: Window | undefined;
  readonly live: Arrivals;
}

/** What can be done with the list: watch it, take it along, take it back. */
export function FeedTools({ filter, window, live }: FeedToolsProps) {
  const [actor] = filter.actor ?? [];
  const isOfOne = actor !== undefined && filter.actor?.length === 1;
  return (
    <div class="tools">
      {isOfOne && window && (
        <Link to={undoOfSpan(actor, window.from, window.to, filter.source)} class="button">
          Undo this span…
        </Link>
      )}
      <Export filter={filter} />
      <LiveButton live={live} hasEnd={filter.to !== undefined} />
    </div>
  );
}

function LiveButton({ live, hasEnd }: { readonly live: Arrivals; readonly hasEnd: boolean }) {
  if (hasEnd) return <span class="quiet live-off">Not live: the span has an end</span>;
  const text = {
    off: "Live",
    connecting: "Connecting…",
    on: live.isPaused ? "Live, paused" : "Live",
    trouble: "Live, interrupted",
  };
  return (
    <button
      type="button"
      class={`button live is-${live.isPaused ? "paused" : live.state}`}
      aria-pressed={!live.isPaused}
      title="New acts join the list while you are at its top (l)"
      onClick={live.toggle}
    >
      <span class="live-dot" aria-hidden="true" />
      {text[live.state]}
    </button>
  );
}

function Export({ filter }: { readonly filter: Filter }) {
  const address = (format: string) => questionTo(routes.exported, { filter: JSON.stringify(filter), format });
  return (
    <details class="menu">
      <summary class="button">Export</summary>
      <div class="menu-body">
        <a href={address("csv")} download>
          CSV, for spreadsheets
        </a>
        <a href={address("ndjson")} download>
          NDJSON, for programs
        </a>
        <p class="quiet">Exactly what is filtered, with a head that says so. The log keeps that you took it.</p>
      </div>
    </details>
  );
}
