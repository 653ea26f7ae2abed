import { useEffect } from "preact/hooks";
import { type FeedPage, type Filter, routes } from "../../api";
import { addressOf, filterInAddress } from "../../query";
import { useArrivals } from "../browser/arrivals";
import { questionTo } from "../browser/client";
import type { Place } from "../browser/location";
import { rememberFeed } from "../browser/feed-memory";
import { type Pages, usePages } from "../browser/use-pages";
import { ActTable } from "../parts/act-table";
import { FeedTools } from "../parts/feed-tools";
import { FilterChips } from "../parts/filter-chips";
import { More } from "../parts/more";
import { Faster, NothingFound } from "../parts/nothing-found";
import { PictureOfSpan } from "../parts/picture";
import { SearchBox } from "../parts/search-box";
import { Waiting } from "../parts/states";
import { Time } from "../parts/time";
import { isOfPages, mergeActs } from "../reading/groups";
import { plural } from "../reading/words";

/** Acts, newest first, of what the address asks for. */
export function FeedView({ place }: { readonly place: Place }) {
  const { filter, problems } = filterInAddress(place.query);
  return (
    <>
      <h1 class="visually-hidden">Acts</h1>
      <SearchBox filter={filter} addressProblems={problems} />
      <Feed key={addressOf(filter)} filter={filter} />
    </>
  );
}

function Feed({ filter }: { readonly filter: Filter }) {
  const pages = usePages<FeedPage>(
    (before) => questionTo(routes.feed, { filter: JSON.stringify(filter), before }),
    ({ older }) => older,
  );
  const listed = pages.pages.flatMap((page) => page.acts);
  const live = useArrivals(filter, pages.first.state === "ready", (act) => isOfPages(act, pages.pages));
  const acts = mergeActs(live.shown, listed);
  useEffect(() => rememberFeed(filter, acts), [acts.length, acts[0]]);
  const window = pages.first.answer?.window;
  useEffect(() => {
    document.title =
      filter.actor || filter.table
        ? `${[...(filter.actor ?? []), ...(filter.table ?? [])].join(", ")} – Audit log`
        : "Audit log";
  }, []);
  return (
    <div class="feed">
      <div class="feed-bar">
        <FilterChips filter={filter} window={window} />
        <FeedTools filter={filter} window={window} live={live} />
      </div>
      <PictureOfSpan filter={filter} />
      <section class="feed-list" aria-label="Acts">
        {live.waiting.length > 0 && (
          <button type="button" class="arrivals" onClick={live.show}>
            {`Show ${plural(live.waiting.length, "new act")}`}
          </button>
        )}
        <Waiting asked={pages.first} faster={<Faster filter={filter} />} lines={10} />
        {pages.pages.length > 0 && acts.length > 0 && <ActTable acts={acts} filter={filter} isNew={live.isNew} />}
        {pages.pages.length > 0 && <EndOfFeed pages={pages} filter={filter} isEmpty={acts.length === 0} />}
      </section>
    </div>
  );
}

interface EndProps {
  readonly pages: Pages<FeedPage>;
  readonly filter: Filter;
  readonly isEmpty: boolean;
}

/** Below the last act: older ones, where the search stopped, or that there are no more. */
function EndOfFeed({ pages, filter, isEmpty }: EndProps) {
  const last = pages.pages.at(-1);
  if (!last) return null;
  const stopped = last.searchedBackTo;
  if (stopped !== null && pages.hasNext) {
    return (
      <div class="notice" role="status">
        <p>
          {isEmpty ? "Nothing found so far. Searched" : "Searched"} back to <Time at={stopped} />.
          {last.narrow !== null && ` ${last.narrow}`}
        </p>
        <More pages={pages} label="Search further back" isAutomatic={false} />
      </div>
    );
  }
  if (pages.hasNext) return <More pages={pages} label="Older acts" />;
  if (isEmpty) return <NothingFound filter={filter} window={last.window} />;
  return (
    <p class="feed-end quiet">
      That is all since <Time at={last.window.from} />
      {last.window.isDefault ? ", the default span. Choose a longer one above." : "."}
    </p>
  );
}
