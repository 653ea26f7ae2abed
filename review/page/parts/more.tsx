import { useEffect, useRef } from "preact/hooks";
import type { Pages } from "../browser/use-pages";
import { TroubleBox } from "./states";

interface MoreProps {
  readonly pages: Pages<unknown>;
  readonly label: string;
  /** Whether it loads by itself when it is scrolled into sight; the button is there all the same. */
  readonly isAutomatic?: boolean;
}

/** Loads the next page of a list, when it comes into sight or by a button. */
export function More({ pages, label, isAutomatic = true }: MoreProps) {
  const end = useRef<HTMLDivElement>(null);
  const { hasNext, isLoading, trouble, loadNext } = pages;
  useEffect(() => {
    const element = end.current;
    if (!element || !isAutomatic || !hasNext || isLoading || trouble) return undefined;
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && loadNext(),
      { rootMargin: "400px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  });
  if (trouble) return <TroubleBox trouble={trouble} again={loadNext} />;
  if (!hasNext) return null;
  return (
    <div class="more" ref={end}>
      <button type="button" class="button" disabled={isLoading} onClick={loadNext}>
        {isLoading ? "Loading…" : label}
      </button>
    </div>
  );
}
