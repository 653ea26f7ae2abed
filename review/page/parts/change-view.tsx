import { useState } from "preact/hooks";
import type { Change } from "../../api";
import { recordAddress } from "../../query";
import { Link } from "../browser/location";
import { columnRows, type RevealedImages } from "../reading/change-rows";
import { keyText } from "../reading/words";
import { undoOfChange } from "../reading/addresses";
import { ColumnDifference } from "./column-difference";
import { OperationBadge } from "./operation-badge";
import { RevealButton } from "./reveal";
import { TableEvent } from "./table-event";
import { PlainText } from "./text";

/** Columns of an added or deleted row that are shown before the rest is asked for. */
const firstColumns = 12;

const ofRows = ["insert", "update", "delete", "baseline"];

interface ChangeProps {
  readonly change: Change;
  /** Whether its operation and record stand above its columns; otherwise the view around it says them. */
  readonly hasHead?: boolean;
}

/** One change: what was done to which record, and what is different since. */
export function ChangeView({ change, hasHead = true }: ChangeProps) {
  const [revealed, setRevealed] = useState<RevealedImages | undefined>();
  const isHiding = change.masked.length > 0 && !revealed;
  return (
    <article class={`change is-${change.operation}`}>
      {hasHead && (
        <header class="change-head">
          <OperationBadge operation={change.operation} />
          <RecordLink change={change} />
          {change.partition !== null && <span class="quiet">{`in ${change.partition}`}</span>}
          <span class="change-tools">
            <UndoLink change={change} />
          </span>
        </header>
      )}
      {ofRows.includes(change.operation) ? (
        <Columns change={change} revealed={revealed} />
      ) : (
        <TableEvent change={change} />
      )}
      {isHiding && <RevealButton change={change} onRevealed={setRevealed} />}
    </article>
  );
}

/** Leads to the text that takes a change back, where there can be one. */
export function UndoLink({ change }: { readonly change: Change }) {
  if (!["insert", "update", "delete"].includes(change.operation)) return null;
  return (
    <Link to={undoOfChange(change)} class="quiet-link" data-purpose="undo">
      Undo
      <span class="visually-hidden">{` the ${change.operation} of ${change.table} ${keyText(change.key)}`}</span>
    </Link>
  );
}

/** The record that a change is about, as a link to its page. */
export function RecordLink({ change }: { readonly change: Pick<Change, "table" | "key" | "source"> }) {
  if (change.key === null)
    return (
      <span class="record-name">
        <PlainText text={change.table} />
      </span>
    );
  return (
    <Link to={recordAddress(change.table, change.key, change.source)} class="record-name">
      <span class="record-table">
        <PlainText text={change.table} />
      </span>{" "}
      <span class="record-key">
        <PlainText text={keyText(change.key)} />
      </span>
    </Link>
  );
}

function Columns({ change, revealed }: { readonly change: Change; readonly revealed: RevealedImages | undefined }) {
  const [showsAll, setShowsAll] = useState(false);
  const rows = columnRows(change, revealed);
  const changed = rows.filter(({ isChanged }) => isChanged);
  const shown = showsAll ? rows : changed.slice(0, Math.max(firstColumns, change.operation === "update" ? 40 : 0));
  const place = (side: "before" | "after", column: string) => ({
    time: change.time,
    event: change.event,
    side,
    column,
  });
  return (
    <>
      <dl class="columns">
        {shown.map((row) => (
          <div key={row.column} class={row.isChanged ? "column" : "column is-same"}>
            <dt>
              <PlainText text={row.column} />
            </dt>
            <dd>
              <ColumnDifference
                row={row}
                isOfWholeRow={change.operation !== "update"}
                whole={{ from: place("before", row.column), to: place("after", row.column) }}
              />
            </dd>
          </div>
        ))}
      </dl>
      {(rows.length > shown.length || showsAll) && rows.length > changed.slice(0, firstColumns).length && (
        <button type="button" class="inline-button" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? "Only what changed" : `All ${rows.length} columns`}
        </button>
      )}
    </>
  );
}
