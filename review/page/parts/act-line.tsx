import { useState } from "preact/hooks";
import type { Act, Change, Filter } from "../../api";
import { actAddress, filterOf } from "../../query";
import { Link } from "../browser/location";
import { undoOfAct } from "../reading/addresses";
import { columnRows } from "../reading/change-rows";
import { idOf } from "../reading/groups";
import { changesOf, deedsOf, membersOf, sentenceOf } from "../reading/words";
import { ActChanges } from "./act-changes";
import { RecordLink } from "./change-view";
import { ColumnDifference } from "./column-difference";
import { feedAddress } from "./filter-chips";
import { OperationBadge } from "./operation-badge";
import { PlainText } from "./text";
import { Time } from "./time";

interface ActLineProps {
  readonly act: Act;
  readonly filter: Filter;
  readonly isNew: boolean;
  readonly isGrouped: boolean;
}

/** One act in one line: when, who, what, for which request. It opens into its changes. */
export function ActLine({ act, filter, isNew, isGrouped }: ActLineProps) {
  const [isOpen, setOpen] = useState(false);
  const name = idOf(act);
  const classes = ["act", isOpen && "is-open", isNew && "is-new", isGrouped && "is-grouped"].filter(Boolean).join(" ");
  return (
    <>
      <tr class={classes} data-line-body data-address={actAddress(act)} onClick={clickOf(() => setOpen(!isOpen))}>
        <td class="act-toggle">
          <button type="button" class="toggle" data-line aria-expanded={isOpen} aria-label={sentenceOf(act)} />
        </td>
        <td class="act-time">
          <Link to={actAddress(act)} data-purpose="open">
            <Time at={act.time} form="time" />
          </Link>
        </td>
        <th scope="row" class="act-who">
          <Actor act={act} filter={filter} />
        </th>
        <td class="act-what">
          <What act={act} />
        </td>
        <td class="act-request">
          {act.request !== null && !isGrouped && (
            <Link to={feedAddress({ request: act.request })} class="quiet-link" title="All acts of this request">
              <PlainText text={act.request} />
            </Link>
          )}
        </td>
        <td class="act-tools">
          {act.transaction !== null && (
            <Link to={undoOfAct(act)} class="quiet-link" data-purpose="undo">
              Undo<span class="visually-hidden">{` what ${sentenceOf(act)}`}</span>
            </Link>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr class="act-opened">
          <td colSpan={6}>
            <ActChanges key={name} act={act} filter={filter} />
          </td>
        </tr>
      )}
    </>
  );
}

/** A click on a line opens it, unless it was meant for something in it or for selecting its text. */
function clickOf(toggle: () => void): (event: MouseEvent) => void {
  return (event) => {
    const isOfToggle = (event.target as HTMLElement).closest(".toggle") !== null;
    const isOfOther = (event.target as HTMLElement).closest("a, button, summary") !== null;
    if (isOfToggle || (!isOfOther && getSelection()?.isCollapsed !== false)) toggle();
  };
}

/** Who acted, as a link to everything that they did. */
export function Actor({
  act,
  filter = {},
}: {
  readonly act: Pick<Act, "actor" | "otherActors">;
  readonly filter?: Filter;
}) {
  if (act.actor === null) {
    return (
      <span class="no-value is-unknown" title="Neither the application nor a trigger said who acts.">
        unknown
      </span>
    );
  }
  const { from, to } = filter;
  const theirs = filterOf({ actor: [act.actor], ...(from && { from }), ...(to && { to }) });
  return (
    <>
      <Link to={feedAddress(theirs)} class="actor">
        <PlainText text={act.actor} />
      </Link>
      {act.otherActors.length > 0 && (
        <span class="quiet" title={act.otherActors.join("\n")}>{` and ${act.otherActors.join(", ")}`}</span>
      )}
    </>
  );
}

function What({ act }: { readonly act: Act }) {
  const [only] = act.first;
  const isSingle = only !== undefined && changesOf(act) === 1 && !act.hasMore;
  return (
    <div class="what">
      {isSingle ? <SingleChange change={only} /> : <Deeds act={act} />}
      <Said act={act} />
    </div>
  );
}

/** What an act did, by table and operation. */
export function Deeds({ act }: { readonly act: Act }) {
  const deeds = deedsOf(act);
  if (deeds.length === 0) return <span class="quiet">nothing that you may see</span>;
  return (
    <ul class="deeds">
      {deeds.map(({ operation, did, rows, table }) => (
        <li key={`${operation} ${table}`}>
          <span class={`deed is-${operation}`}>{did}</span> {rows} <span class="deed-table">{table}</span>
        </li>
      ))}
    </ul>
  );
}

/** What the application said about the act, its reason first. */
export function Said({ act }: { readonly act: Pick<Act, "context"> }) {
  const members = membersOf(act.context);
  if (members.length === 0) return null;
  return (
    <p class="said">
      {members.slice(0, 4).map(([name, value]) => (
        <span key={name} class={name === "reason" ? "said-reason" : "said-member"}>
          {name !== "reason" && <span class="said-name">{name} </span>}
          <PlainText text={name === "reason" ? `“${value}”` : value.slice(0, 80)} />
        </span>
      ))}
    </p>
  );
}

/** Columns of a single change that its line shows. */
const lineColumns = 3;

function SingleChange({ change }: { readonly change: Change }) {
  const rows = columnRows(change).filter(({ isChanged }) => isChanged);
  const isUpdate = change.operation === "update";
  return (
    <div class="single">
      <OperationBadge operation={change.operation} /> <RecordLink change={change} />{" "}
      {isUpdate &&
        rows.slice(0, lineColumns).map((row) => (
          <span key={row.column} class="single-column">
            <span class="column-name">{row.column}</span> <ColumnDifference row={row} isShort />
          </span>
        ))}
      {isUpdate && rows.length > lineColumns && <span class="quiet">{`and ${rows.length - lineColumns} more`}</span>}
    </div>
  );
}
