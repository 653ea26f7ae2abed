import { useState } from "preact/hooks";
import { type ActId, type ActPage, type Filter, routes } from "../../api";
import { questionTo } from "../browser/client";
import { usePages } from "../browser/use-pages";
import { changesOf, counted } from "../reading/words";
import { ChangeView } from "./change-view";
import { More } from "./more";
import { Waiting } from "./states";

interface ActChangesProps {
  readonly act: ActId;
  /** Of the view: changes that it leaves out are shown when asked. */
  readonly filter?: Filter;
}

/** Parts of a filter that single changes meet or do not meet. */
const ofChanges = ["table", "key", "operation", "column", "text", "not"] as const;

/** Whether a filter chooses among the changes of an act. */
const narrowsChanges = (filter: Filter) => ofChanges.some((name) => filter[name] !== undefined);

/** The changes of an act in their order, more as they are scrolled. */
export function ActChanges({ act, filter = {} }: ActChangesProps) {
  const narrows = narrowsChanges(filter);
  const [showsAll, setShowsAll] = useState(!narrows);
  const pages = usePages<ActPage>(
    (after) =>
      questionTo(routes.act, {
        source: act.source,
        time: act.time,
        transaction: act.transaction,
        after,
        filter: showsAll ? undefined : JSON.stringify(filter),
      }),
    ({ next }) => next,
  );
  const [first] = pages.pages;
  if (!first) return <Waiting asked={pages.first} lines={3} />;
  const changes = pages.pages.flatMap((page) => page.changes);
  const total = changesOf(first.act);
  return (
    <div class="act-changes">
      {changes.map((change) => (
        <ChangeView key={change.event} change={change} />
      ))}
      {changes.length === 0 && <p class="quiet">No change of it that you may see fits the filter.</p>}
      <More pages={pages} label={`More of ${first.act.hasMore ? "at least " : ""}${counted(total)} changes`} />
      {first.hidesTables && <p class="quiet">It also changed tables that you may not see.</p>}
      {narrows && (
        <button type="button" class="inline-button" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? "Only the changes that fit the filter" : "Everything that this act changed"}
        </button>
      )}
    </div>
  );
}
