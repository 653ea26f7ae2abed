import { useState } from "preact/hooks";
import { isNumber, isObject, type Json, type JsonObject, stringifyExact } from "../../exact-json";
import { counted, plural } from "../reading/words";
import { CopyButton } from "./copy";
import { MemberTree } from "./member-tree";
import { LongText, PlainText } from "./text";

/** Documents whose text is not longer than this stand in the line. */
const inlineCharacters = 72;

/** A value that has been read. */
export function JsonValue({ value, isOpen = false }: { readonly value: Json; readonly isOpen?: boolean }) {
  if (value === null) return <span class="value is-null">null</span>;
  if (typeof value === "string") {
    if (value === "") return <span class="value is-empty">empty text</span>;
    if (value.trim() === "") return <span class="value is-empty">{counted(value.length)} × white space</span>;
    return (
      <span class="value is-text">
        <LongText text={value} startsOpen={isOpen} />
      </span>
    );
  }
  if (isNumber(value) || typeof value === "boolean") return <span class="value is-plain">{String(value)}</span>;
  if (isObject(value) || Array.isArray(value)) return <DocumentTree value={value} isOpen={isOpen} />;
  return null;
}

/** A document: in the line when it is short, otherwise collapsed with its count, to be opened member by member. */
function DocumentTree({ value, isOpen = false }: { readonly value: Json; readonly isOpen?: boolean }) {
  const [open, setOpen] = useState(isOpen);
  const [form, setForm] = useState<"tree" | "text">("tree");
  if (isShort(value)) {
    return (
      <span class="value is-document">
        <PlainText text={stringifyExact(value)} />
      </span>
    );
  }
  return (
    <span class="document">
      <button type="button" class="inline-button is-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {sizeText(value)}
      </button>
      {open && (
        <span class="document-tools">
          <button type="button" class="inline-button" onClick={() => setForm(form === "tree" ? "text" : "tree")}>
            {form === "tree" ? "As text" : "As a tree"}
          </button>
          <CopyButton text={() => stringifyExact(value, 2)} label="Copy" what="the document" />
        </span>
      )}
      {open && (form === "tree" ? <Members value={value} /> : <DocumentText value={value} />)}
    </span>
  );
}

function DocumentText({ value }: { readonly value: Json }) {
  return (
    <pre class="document-text" tabIndex={0} role="region" aria-label="The document as text">
      <PlainText text={stringifyExact(value, 2)} />
    </pre>
  );
}

function Members({ value }: { readonly value: Json }) {
  const members = Array.isArray(value)
    ? value.map((member: Json, place) => [String(place), member] as const)
    : Object.entries(value as JsonObject);
  return (
    <MemberTree members={members.map(([name, member]) => ({ name, content: () => <JsonValue value={member} /> }))} />
  );
}

function isShort(value: Json): boolean {
  const size = Array.isArray(value) ? value.length : Object.keys(value as JsonObject).length;
  return size <= 12 && stringifyExact(value).length <= inlineCharacters;
}

/** How large a document is: `{3 members}`. */
function sizeText(value: Json): string {
  return isObject(value)
    ? `{${plural(Object.keys(value).length, "member")}}`
    : `[${plural((value as readonly Json[]).length, "element")}]`;
}
