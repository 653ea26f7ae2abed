import { useState } from "preact/hooks";
import { countChanges, type Difference, type Member } from "../../differences/difference";
import type { Segment } from "../../differences/words";
import type { Json } from "../../exact-json";
import { counted, plural } from "../reading/words";
import { JsonValue } from "./json-value";
import { MemberTree } from "./member-tree";
import { PlainText } from "./text";

/** What changed between two values. */
export function DifferenceView({ difference }: { readonly difference: Difference }) {
  switch (difference.kind) {
    case "same":
      return <JsonValue value={difference.value} />;
    case "added":
      return <Became to={difference.to} />;
    case "removed":
      return <Became from={difference.from} />;
    case "replaced":
      return <Became from={difference.from} to={difference.to} />;
    case "text":
      return <TextDifference segments={difference.segments} />;
    default:
      return <MembersDifference difference={difference} />;
  }
}

/** From → to; with one side alone, what was added or taken away. */
function Became({ from, to }: { readonly from?: Json; readonly to?: Json }) {
  return (
    <span class="became">
      {from !== undefined && (
        <del>
          <JsonValue value={from} />
        </del>
      )}
      {from !== undefined && to !== undefined && <Arrow />}
      {to !== undefined && (
        <ins>
          <JsonValue value={to} />
        </ins>
      )}
    </span>
  );
}

/** Between what was and what became of it. */
export function Arrow() {
  return (
    <>
      <span class="arrow" aria-hidden="true">
        →
      </span>
      <span class="visually-hidden"> became </span>
    </>
  );
}

/** What stays around a change, in signs. */
const context = 48;

function TextDifference({ segments }: { readonly segments: readonly Segment[] }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = segments.some(({ kind, text }) => kind === "same" && text.length > 3 * context);
  return (
    <span class="value is-text text-difference">
      {segments.map((segment, place) => {
        if (segment.kind === "removed")
          return (
            <del key={place}>
              <PlainText text={segment.text} />
            </del>
          );
        if (segment.kind === "added")
          return (
            <ins key={place}>
              <PlainText text={segment.text} />
            </ins>
          );
        return (
          <Unchanged
            key={place}
            text={segment.text}
            isWhole={isWhole}
            isFirst={place === 0}
            isLast={place === segments.length - 1}
          />
        );
      })}
      {isLong && (
        <button type="button" class="inline-button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Only what changed" : "The whole text"}
        </button>
      )}
    </span>
  );
}

interface UnchangedProps {
  readonly text: string;
  readonly isWhole: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function Unchanged({ text, isWhole, isFirst, isLast }: UnchangedProps) {
  if (isWhole || text.length <= 3 * context) return <PlainText text={text} />;
  const start = isFirst ? "" : text.slice(0, context);
  const end = isLast ? "" : text.slice(-context);
  return (
    <>
      <PlainText text={start} />
      <span class="left-out">{` … ${counted(text.length - start.length - end.length)} the same … `}</span>
      <PlainText text={end} />
    </>
  );
}

/** Documents with more changes than this are collapsed at first. */
const openChanges = 8;

function MembersDifference({
  difference,
}: {
  readonly difference: Extract<Difference, { readonly kind: "object" | "array" }>;
}) {
  const count = countChanges(difference);
  const [isOpen, setOpen] = useState(count <= openChanges);
  const [showsSame, setShowsSame] = useState(false);
  const isChanged = ({ difference: { kind }, moved }: Member) => kind !== "same" || moved !== undefined;
  const shown = showsSame ? difference.members : difference.members.filter(isChanged);
  return (
    <span class="document">
      <button type="button" class="inline-button is-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {`${plural(count, "change")} in ${plural(difference.members.length, difference.kind === "object" ? "member" : "element")}`}
      </button>
      {isOpen && <MemberList members={shown} />}
      {isOpen && difference.same > 0 && (
        <button type="button" class="inline-button" aria-expanded={showsSame} onClick={() => setShowsSame(!showsSame)}>
          {showsSame ? "Only what changed" : `${counted(difference.same)} the same`}
        </button>
      )}
    </span>
  );
}

function MemberList({ members }: { readonly members: readonly Member[] }) {
  const lines = members.map(({ label, difference, moved }) => ({
    name: label,
    look: difference.kind === "same" ? "is-same" : `is-${difference.kind}`,
    content: () => (
      <>
        {moved && <span class="no-value is-moved">{`from place ${moved.from} to ${moved.to}`}</span>}{" "}
        <DifferenceView difference={difference} />
      </>
    ),
  }));
  return <MemberTree members={lines} />;
}
