import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "./client";
import { type Asked, troubleFrom, useAnswer } from "./use-answer";
import type { Trouble } from "./client";

/** A list that comes page by page. */
export interface Pages<Page> {
  readonly first: Asked<Page>;
  readonly pages: readonly Page[];
  /** Whether there are more. */
  readonly hasNext: boolean;
  readonly isLoading: boolean;
  readonly trouble: Trouble | undefined;
  readonly loadNext: () => void;
}

/**
 * Asks for a list's first page, and for the next one when told to.
 *
 * @param address Of the page that a cursor begins; of the first without one.
 * @param cursorOf Where the list goes on after a page; null at its end.
 */
export function usePages<Page>(
  address: (cursor?: string) => string,
  cursorOf: (page: Page) => string | null,
): Pages<Page> {
  const firstAddress = address();
  const first = useAnswer<Page>(firstAddress);
  const [more, setMore] = useState<{ readonly of: string; readonly pages: readonly Page[] }>({ of: "", pages: [] });
  const [loading, setLoading] = useState<string | undefined>();
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), [firstAddress]);
  const following = more.of === firstAddress ? more.pages : [];
  const pages = first.answer === undefined ? [] : [first.answer, ...following];
  const last = pages.at(-1);
  const cursor = last === undefined ? null : cursorOf(last);
  const loadNext = () => {
    if (cursor === null || loading !== undefined) return;
    const controller = new AbortController();
    running.current = controller;
    setLoading(cursor);
    setTrouble(undefined);
    ask<Page>(address(cursor), controller.signal)
      .then((page) => setMore({ of: firstAddress, pages: [...following, page] }))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setTrouble(troubleFrom(error));
      })
      .finally(() => setLoading(undefined));
  };
  return { first, pages, hasNext: cursor !== null, isLoading: loading !== undefined, trouble, loadNext };
}
