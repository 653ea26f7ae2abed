import { useEffect, useState } from "preact/hooks";

const said = new EventTarget();

/** Says a sentence to those who listen to the page, and shows it for a moment. */
export function announce(sentence: string): void {
  said.dispatchEvent(new CustomEvent("said", { detail: sentence }));
}

/** Where sentences are said: one place in the page, which is there from its beginning. */
export function Announcer() {
  const [sentence, setSentence] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = (event: Event) => {
      setSentence((event as CustomEvent<string>).detail);
      clearTimeout(timer);
      timer = setTimeout(() => setSentence(""), 4_000);
    };
    said.addEventListener("said", say);
    return () => {
      clearTimeout(timer);
      said.removeEventListener("said", say);
    };
  }, []);
  return (
    <div class="announcer" role="status" aria-live="polite">
      {sentence}
    </div>
  );
}
