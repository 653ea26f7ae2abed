import { useEffect, useState } from "preact/hooks";
import { announce } from "./announcer";

/** Copies a text, and says so where it was asked. */
export function CopyButton({
  text,
  label,
  what,
}: {
  readonly text: () => string;
  readonly label: string;
  readonly what: string;
}) {
  const [isDone, setDone] = useState<boolean | undefined>();
  useEffect(() => {
    if (isDone === undefined) return undefined;
    const timer = setTimeout(() => setDone(undefined), 2_000);
    return () => clearTimeout(timer);
  }, [isDone]);
  return (
    <button type="button" class="button" onClick={() => void copyText(text(), what).then(setDone)}>
      {isDone === undefined ? label : isDone ? "Copied" : "Not copied"}
    </button>
  );
}

/** Puts a text into the clipboard. Returns whether the browser let it. */
export async function copyText(text: string, what: string): Promise<boolean> {
  const isDone = await navigator.clipboard.writeText(text).then(
    () => true,
    () => copyBySelection(text),
  );
  announce(isDone ? `Copied ${what}.` : `The browser did not let ${what} be copied: select it and copy it by hand.`);
  return isDone;
}

/** For a page over plain HTTP on a host that is not this machine, where browsers have no clipboard. */
function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  return isDone;
}
