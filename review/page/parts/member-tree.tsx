import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { PlainText } from "./text";

/** Members that are shown at once. */
const page = 100;

export interface TreeMember {
  readonly name: string;
  /** Class of its line, for its look. */
  readonly look?: string;
  readonly content: () => ComponentChildren;
}

/** The members of a document, a line each; of many the first ones, with a button for more. */
export function MemberTree({ members }: { readonly members: readonly TreeMember[] }) {
  const [shown, setShown] = useState(page);
  return (
    <ul class="tree">
      {members.slice(0, shown).map(({ name, look, content }) => (
        <li key={name} class={look}>
          <span class="member-name">
            <PlainText text={name} />
          </span>{" "}
          {content()}
        </li>
      ))}
      {members.length > shown && (
        <li>
          <button type="button" class="inline-button" onClick={() => setShown(shown + page)}>
            {`Show ${Math.min(page, members.length - shown)} more of ${members.length}`}
          </button>
        </li>
      )}
    </ul>
  );
}
