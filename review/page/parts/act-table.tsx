import { useState } from "preact/hooks";
import type { Act, Filter } from "../../api";
import { Link } from "../browser/location";
import { usePreferences } from "../browser/preferences";
import { byDay, groupActs, type Group, idOf } from "../reading/groups";
import { dateText, dayText } from "../reading/time-text";
import { changesOf, plural } from "../reading/words";
import { ActLine } from "./act-line";
import { feedAddress } from "./filter-chips";
import { PlainText } from "./text";
import { Time } from "./time";

interface ActTableProps {
  readonly acts: readonly Act[];
  readonly filter: Filter;
  readonly isNew: (act: Act) => boolean;
}

/** Acts by day, those of one request together. */
export function ActTable({ acts, filter, isNew }: ActTableProps) {
  const { zone } = usePreferences();
  const days = byDay(groupActs(acts), (time) => dateText(time, zone));
  return (
    <table class="acts">
      <caption class="visually-hidden">Acts, the newest first</caption>
      <colgroup>
        <col class="act-toggle" />
        <col class="act-time" />
        <col class="act-who" />
        <col />
        <col class="act-request" />
        <col class="act-tools" />
      </colgroup>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">Open</th>
          <th scope="col">Time</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">Request</th>
          <th scope="col">Tools</th>
        </tr>
      </thead>
      {days.map(({ day, groups }) => (
        <tbody key={day}>
          <tr class="day">
            <th colSpan={6} scope="rowgroup">
              {dayText(groups[0]?.acts[0]?.time ?? "", zone)} <span class="quiet">{zone === "UTC" ? "UTC" : ""}</span>
            </th>
          </tr>
          {groups.map((group) => (
            <GroupLines key={idOf(group.acts.at(-1) as Act)} group={group} filter={filter} isNew={isNew} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

/** Acts of a request beyond which its group is closed at first. */
const openActs = 5;

function GroupLines({ group, filter, isNew }: { readonly group: Group } & Omit<ActTableProps, "acts">) {
  const { acts, request } = group;
  const isGroup = acts.length > 1;
  const [isOpen, setOpen] = useState(acts.length <= openActs);
  const first = acts.at(-1) as Act;
  const last = acts[0] as Act;
  const changes = acts.reduce((sum, act) => sum + changesOf(act), 0);
  return (
    <>
      {isGroup && request !== null && (
        <tr class="group" data-line-body data-address={feedAddress({ request })}>
          <td class="act-toggle">
            <button
              type="button"
              class="toggle"
              data-line
              aria-expanded={isOpen}
              aria-label={`Request ${request}, ${acts.length} acts`}
              onClick={() => setOpen(!isOpen)}
            />
          </td>
          <td class="act-time">
            <Time at={last.time} form="time" />
          </td>
          <th scope="row" colSpan={4}>
            <Link to={feedAddress({ request })} class="group-name" data-purpose="open">
              Request <PlainText text={request} />
            </Link>{" "}
            <span class="quiet">
              {`${plural(acts.length, "act")}, ${acts.some(({ hasMore }) => hasMore) ? "at least " : ""}${plural(changes, "change")}, from `}
              <Time at={first.time} form="time" />
            </span>
          </th>
        </tr>
      )}
      {(isOpen || !isGroup) &&
        acts.map((act) => <ActLine key={idOf(act)} act={act} filter={filter} isNew={isNew(act)} isGrouped={isGroup} />)}
    </>
  );
}
