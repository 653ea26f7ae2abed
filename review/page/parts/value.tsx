import { useState } from "preact/hooks";
import { routes, type Value, type WholeValue } from "../../api";
import type { Json } from "../../exact-json";
import { ask, questionTo, type Trouble } from "../browser/client";
import { troubleFrom } from "../browser/use-answer";
import type { Side } from "../reading/change-rows";
import { counted, readJson } from "../reading/words";
import { JsonValue } from "./json-value";
import { PlainText } from "./text";

/** Where a value that was cut for a list stands whole. */
export interface WholePlace {
  readonly time: string;
  readonly event: string;
  readonly side: "before" | "after";
  readonly column: string;
}

/** One side of a column: its value, or in words of its own why there is none. */
export function SideValue({ side, whole }: { readonly side: Side; readonly whole?: WholePlace | undefined }) {
  switch (side.state) {
    case "unknown":
      return (
        <span class="no-value is-unknown" title="The stream did not carry this value. It is not null: it is not known.">
          unknown
        </span>
      );
    case "redacted":
      return (
        <span
          class="no-value is-redacted"
          title="This column is redacted before it reaches the log, which never held it."
        >
          redacted
        </span>
      );
    case "masked":
      return (
        <span class="no-value is-masked" title="This column is hidden from you. Reveal it with a reason.">
          hidden
        </span>
      );
    default:
      return (
        <>
          <ShownValue value={side.value} whole={whole} />
          {side.isUntyped && (
            <span
              class="no-value is-untyped"
              title="The column's type was not known: this is the text that the stream had."
            >
              as text
            </span>
          )}
        </>
      );
  }
}

/** A value of the log. One that is too long for a list shows its beginning, and the rest when asked. */
export function ShownValue({ value, whole }: { readonly value: Value; readonly whole?: WholePlace | undefined }) {
  if (typeof value === "string") return <JsonValue value={readJson(value) as Json} />;
  return <CutValue cut={value.cut} characters={value.characters} whole={whole} />;
}

interface CutProps {
  readonly cut: string;
  readonly characters: number;
  readonly whole: WholePlace | undefined;
}

function CutValue({ cut, characters, whole }: CutProps) {
  const [shown, setShown] = useState<Json | undefined>();
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  const [isLoading, setLoading] = useState(false);
  if (shown !== undefined) return <JsonValue value={shown} isOpen />;
  const load = () => {
    setLoading(true);
    wholeValue(whole as WholePlace)
      .then(setShown)
      .catch((error: unknown) => setTrouble(troubleFrom(error)))
      .finally(() => setLoading(false));
  };
  return (
    <span class="value is-text">
      <PlainText text={`${cut.replace(/^"/, "").slice(0, 200)}…`} />{" "}
      {whole === undefined ? (
        <span class="quiet">{counted(characters)} characters; the change that wrote it has them all</span>
      ) : (
        <button type="button" class="inline-button" disabled={isLoading} onClick={load}>
          {isLoading ? "Loading…" : `Show all ${counted(characters)} characters`}
        </button>
      )}
      {trouble && <span class="trouble-line">{trouble.message}</span>}
    </span>
  );
}

/** Asks for a value that was cut. */
export async function wholeValue(place: WholePlace): Promise<Json> {
  const { value } = await ask<WholeValue>(questionTo(routes.value, { ...place }));
  return readJson(value) as Json;
}
