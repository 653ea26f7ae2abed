import { useState } from "preact/hooks";
import { countChanges, differenceOf, onlyChange } from "../../differences/difference";
import type { Json } from "../../exact-json";
import type { Trouble } from "../browser/client";
import { troubleFrom } from "../browser/use-answer";
import type { ColumnRow, Side } from "../reading/change-rows";
import { plural, readJson } from "../reading/words";
import { Arrow, DifferenceView } from "./difference-view";
import { SideValue, type WholePlace, wholeValue } from "./value";

/** Where the two sides of a column stand whole. */
export interface WholeSides {
  readonly from?: WholePlace;
  readonly to?: WholePlace;
}

interface ColumnDifferenceProps {
  readonly row: ColumnRow;
  readonly whole?: WholeSides;
  /** Of a row that was added or deleted as a whole, where marking each column would say nothing. */
  readonly isOfWholeRow?: boolean;
  /** In a line, where a document shows the one value of it that changed, or how many did. */
  readonly isShort?: boolean;
}

/** A column of a change: what it was and what it became, each side in words of its own where it has no value. */
export function ColumnDifference({ row, whole = {}, isOfWholeRow = false, isShort = false }: ColumnDifferenceProps) {
  const { from, to } = row;
  const [read, setRead] = useState<{ readonly from: Json; readonly to: Json } | undefined>();
  if (read) return <DifferenceView difference={differenceOf(read.from, read.to)} />;
  if (from === undefined || to === undefined) {
    const side = to ?? from;
    const value = side && <SideValue side={side} whole={to ? whole.to : whole.from} />;
    if (!row.isChanged || isOfWholeRow) return <>{value}</>;
    return <span class="became">{to ? <ins>{value}</ins> : <del>{value}</del>}</span>;
  }
  const values = [wholeOf(from), wholeOf(to)] as const;
  if (values[0] !== undefined && values[1] !== undefined) {
    const difference = differenceOf(values[0].json, values[1].json);
    if (isShort && (difference.kind === "object" || difference.kind === "array")) {
      const only = onlyChange(difference);
      if (!only) return <span class="quiet">{plural(countChanges(difference), "change")}</span>;
      return (
        <>
          <span class="column-name">{only.path.join(".")}</span> <DifferenceView difference={only.difference} />
        </>
      );
    }
    return <DifferenceView difference={difference} />;
  }
  return (
    <span class="became">
      <del>
        <SideValue side={from} whole={whole.from} />
      </del>
      <Arrow />
      <ins>
        <SideValue side={to} whole={whole.to} />
      </ins>
      {whole.from && whole.to && (isCut(from) || isCut(to)) && hasValue(from) && hasValue(to) && (
        <CompareWhole from={from} to={to} whole={{ from: whole.from, to: whole.to }} onRead={setRead} />
      )}
    </span>
  );
}

const hasValue = (side: Side) => side.state === "value" && !side.isUntyped;
const isCut = (side: Side) => side.state === "value" && typeof side.value !== "string";

/** A side whose value is known and whole, and has its type: what can be compared within. */
function wholeOf(side: Side): { readonly json: Json } | undefined {
  if (side.state !== "value" || typeof side.value !== "string" || side.isUntyped) return undefined;
  return { json: readJson(side.value) as Json };
}

interface CompareProps {
  readonly from: Side;
  readonly to: Side;
  readonly whole: Required<WholeSides>;
  readonly onRead: (read: { readonly from: Json; readonly to: Json }) => void;
}

/** Reads both sides of a column that were cut, and shows what differs. */
function CompareWhole({ from, to, whole, onRead }: CompareProps) {
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  const [isLoading, setLoading] = useState(false);
  const compare = () => {
    setLoading(true);
    const known = [wholeOf(from), wholeOf(to)] as const;
    Promise.all([known[0]?.json ?? wholeValue(whole.from), known[1]?.json ?? wholeValue(whole.to)])
      .then(([old, now]) => onRead({ from: old, to: now }))
      .catch((error: unknown) => {
        setTrouble(troubleFrom(error));
        setLoading(false);
      });
  };
  return (
    <>
      {" "}
      <button type="button" class="inline-button" disabled={isLoading} onClick={compare}>
        {isLoading ? "Comparing…" : "Show what differs"}
      </button>
      {trouble && <span class="trouble-line">{trouble.message}</span>}
    </>
  );
}
