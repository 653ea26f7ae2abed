import type { Blame, BlamedColumn } from "../../api";
import { actAddress } from "../../query";
import { Link } from "../browser/location";
import type { Side } from "../reading/change-rows";
import { PlainText } from "./text";
import { Time } from "./time";
import { SideValue } from "./value";

/** What each column holds now, who wrote it last, and when. */
export function BlameTable({ blame }: { readonly blame: Blame }) {
  return (
    <>
      <table class="plain-table is-fixed">
        <caption class="visually-hidden">What each column holds and who wrote it last</caption>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Value</th>
            <th scope="col">Last written</th>
          </tr>
        </thead>
        <tbody>
          {blame.columns.map((column) => (
            <tr key={column.column}>
              <th scope="row">
                <PlainText text={column.column} />
              </th>
              <td>
                <SideValue side={sideOf(column)} whole={wholeOf(column)} />
              </td>
              <td class="blame-writer">
                <Writer column={column} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {blame.searchedBackTo !== null && (
        <p class="quiet">
          Searched back to <Time at={blame.searchedBackTo} />. Columns without a writer were last written before.
        </p>
      )}
    </>
  );
}

function sideOf({ state, value }: BlamedColumn): Side {
  if (state === "masked") return { state: "masked" };
  if (state === "unknown" || value === null) return { state: "unknown" };
  return value === '"[redacted]"' ? { state: "redacted" } : { state: "value", value, isUntyped: false };
}

function wholeOf({ writer, column }: BlamedColumn) {
  return writer === null ? undefined : { time: writer.time, event: writer.event, side: "after" as const, column };
}

function Writer({ column: { writer } }: { readonly column: BlamedColumn }) {
  if (writer === null) return <span class="quiet">before the log knew it</span>;
  return (
    <>
      {writer.actor === null ? <span class="no-value is-unknown">unknown</span> : <PlainText text={writer.actor} />}{" "}
      <Link to={actAddress(writer)} class="quiet-link">
        <Time at={writer.time} />
      </Link>
    </>
  );
}
