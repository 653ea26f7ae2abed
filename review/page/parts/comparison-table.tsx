import { useState } from "preact/hooks";
import type { AsOf, Comparison } from "../../api";
import { columnsAsOf, type ColumnRow, sideAsOf } from "../reading/change-rows";
import { plural } from "../reading/words";
import { ColumnDifference } from "./column-difference";
import { PlainText } from "./text";
import { Time } from "./time";
import { SideValue } from "./value";

/** The record as it was at a moment, and what became of each column since. */
export function AsOfTable({ comparison }: { readonly comparison: Comparison }) {
  const { from, to, changed } = comparison;
  if (from.row === null) return <Absent asOf={from} />;
  return (
    <table class="plain-table is-fixed as-of">
      <caption class="visually-hidden">The record as it was, and what became of it since</caption>
      <thead>
        <tr>
          <th scope="col">Column</th>
          <th scope="col">Then</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        {columnsAsOf(from).map(({ column, side }) => (
          <tr key={column} class={changed.includes(column) ? "is-changed" : undefined}>
            <th scope="row">
              <PlainText text={column} />
            </th>
            <td>
              <SideValue side={side} />
            </td>
            <td>
              {changed.includes(column) ? <Since asOf={to} column={column} /> : <span class="quiet">the same</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Since({ asOf, column }: { readonly asOf: AsOf; readonly column: string }) {
  if (asOf.row === null) return <span class="quiet">deleted</span>;
  if (!has(asOf, column)) return <span class="quiet">no such column</span>;
  return <SideValue side={sideAsOf(asOf, column)} />;
}

/** What differs between two moments. */
export function ComparisonTable({ comparison }: { readonly comparison: Comparison }) {
  const [showsAll, setShowsAll] = useState(false);
  const { from, to, changed } = comparison;
  const names = new Set([...columnsAsOf(to), ...columnsAsOf(from)].map(({ column }) => column));
  const shown = [...names].filter((name) => showsAll || changed.includes(name));
  return (
    <>
      {from.row === null && <Absent asOf={from} />}
      {to.row === null && <Absent asOf={to} />}
      {changed.length === 0 && <p class="notice">Nothing differs.</p>}
      {shown.length > 0 && (
        <table class="plain-table is-fixed">
          <caption class="visually-hidden">What differs between the two moments</caption>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Difference</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((column) => (
              <tr key={column}>
                <th scope="row">
                  <PlainText text={column} />
                </th>
                <td>
                  <ColumnDifference row={rowOf(comparison, column)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {names.size > changed.length && (
        <button type="button" class="inline-button" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? "Only what differs" : `${plural(names.size - changed.length, "column")} the same`}
        </button>
      )}
    </>
  );
}

const has = (asOf: AsOf, column: string) =>
  asOf.row !== null &&
  (Object.hasOwn(asOf.row, column) || asOf.unknown.includes(column) || asOf.masked.includes(column));

function rowOf({ from, to, changed }: Comparison, column: string): ColumnRow {
  const isChanged = changed.includes(column);
  return {
    column,
    isChanged,
    ...(isChanged && has(from, column) && { from: sideAsOf(from, column) }),
    ...(has(to, column) && { to: sideAsOf(to, column) }),
  };
}

function Absent({ asOf }: { readonly asOf: AsOf }) {
  return (
    <p class="notice">
      At <Time at={asOf.time} form="exact" /> the record did not exist, as far as the log knows.
      {asOf.absence !== null && (
        <>
          {" "}
          <PlainText text={asOf.absence} />
        </>
      )}
    </p>
  );
}
