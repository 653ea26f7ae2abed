import { useEffect } from "preact/hooks";

/** What the keys do, for the help; the views bind them. */
export const keys: readonly (readonly [key: string, meaning: string])[] = [
  ["j / k", "next, previous line"],
  ["Enter", "open or close the line"],
  ["o", "open the line on a page of its own"],
  ["[ / ]", "newer, older act, on an act's page"],
  ["u", "show the undo of the line or of the act"],
  ["y", "copy a link to the line, or to this view"],
  ["l", "pause or resume live acts"],
  ["/", "go to the search box"],
  ["?", "this help"],
  ["Esc", "close what is open"],
];

export type KeyBindings = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Binds keys that are pressed outside of fields, without modifiers. */
export function useKeys(bindings: KeyBindings): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const binding = Object.hasOwn(bindings, event.key) ? bindings[event.key] : undefined;
      if (!binding || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      binding(event);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input:not([type=range]), textarea, select") !== null;
}

const lineSelector = "[data-line]";

/** Moves the focus to the next or previous line of the view, wherever it was. */
export function moveLine(step: 1 | -1): void {
  const lines = [...document.querySelectorAll<HTMLElement>(lineSelector)];
  const current = currentLine();
  const place = current ? lines.indexOf(current) : -1;
  const next = lines[current ? place + step : step === 1 ? 0 : -1];
  if (!next) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/** The line that has the focus, or the one above what has it. */
export function currentLine(): HTMLElement | undefined {
  const active = document.activeElement;
  if (!active?.closest("main")) return undefined;
  const lines = [...document.querySelectorAll<HTMLElement>(lineSelector)];
  return lines.findLast(
    (line) => line === active || line.compareDocumentPosition(active) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
}

/** Follows a link of the line that has the focus, named by its purpose. */
export function followOfLine(purpose: "open" | "undo"): boolean {
  const line = currentLine();
  const link = line?.closest("[data-line-body]")?.querySelector<HTMLAnchorElement>(`a[data-purpose=${purpose}]`);
  link?.click();
  return link !== null && link !== undefined;
}
