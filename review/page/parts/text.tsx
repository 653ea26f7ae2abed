import { useState } from "preact/hooks";
import { runsOf } from "../reading/visible-text";
import { counted } from "../reading/words";

/** A text of the log, never markup; signs that can't be seen stand there by their number. */
export function PlainText({ text }: { readonly text: string }) {
  return (
    <>
      {runsOf(text).map((run) =>
        "text" in run ? (
          run.text
        ) : (
          <span class="invisible-sign" title={`The sign ${run.name}, which has no look of its own`}>
            {run.name}
          </span>
        ),
      )}
    </>
  );
}

/** Characters that a long text shows before it is opened. */
const shortText = 280;

/** A text that is opened when it is long. */
export function LongText({ text, startsOpen = false }: { readonly text: string; readonly startsOpen?: boolean }) {
  const [isOpen, setOpen] = useState(startsOpen);
  const lines = text.split("\n", 8);
  const short = lines.length === 8 ? lines.slice(0, 7).join("\n") : text;
  const shown = short.length > shortText ? short.slice(0, shortText) : short;
  if (shown.length === text.length) return <PlainText text={text} />;
  return (
    <>
      <PlainText text={isOpen ? text : `${shown}…`} />{" "}
      <button type="button" class="inline-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "Show less" : `Show all ${counted(text.length)} characters`}
      </button>
    </>
  );
}
