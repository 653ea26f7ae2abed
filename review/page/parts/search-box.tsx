import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Completions, type Filter, routes } from "../../api";
import {
  addressOf,
  completed,
  isEmpty,
  knownCompletions,
  type Problem,
  qualifierNames,
  readSearch,
  searchOf,
  type Typed,
  typedAt,
} from "../../query";
import { ask, questionTo } from "../browser/client";
import { useKeys } from "../browser/keyboard";
import { navigate } from "../browser/location";
import { usePreferences } from "../browser/preferences";

const wait = 120;

interface SearchBoxProps {
  readonly filter: Filter;
  /** What the address has that was not understood. */
  readonly addressProblems: readonly string[];
}

/** The filter in words. Enter makes the address of it; what is not understood is said, and the rest is searched for. */
export function SearchBox({ filter, addressProblems }: SearchBoxProps) {
  const { zone } = usePreferences();
  const asWords = searchOf(filter);
  const [text, setText] = useState(asWords);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const submitted = useRef<string | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  const completion = useCompletion(text, input, setText);
  useEffect(() => {
    // What was typed stays where not all of it was understood, to be corrected.
    if (submitted.current === asWords) return;
    submitted.current = undefined;
    setText(asWords);
    setProblems([]);
  }, [asWords]);
  useKeys({
    "/": () => {
      input.current?.focus();
      input.current?.select();
    },
  });
  const submit = (event: Event) => {
    event.preventDefault();
    const search = readSearch(text, { now: new Date(), zone });
    setProblems(search.problems);
    completion.close();
    const words = searchOf(search.filter);
    submitted.current = words;
    if (search.problems.length === 0) setText(words);
    navigate(isEmpty(search.filter) ? "/" : `/?${addressOf(search.filter)}`);
  };
  const said = [...problems.map(({ part, message }) => `${part}: ${message}`), ...addressProblems];
  return (
    <form class="search" role="search" onSubmit={submit}>
      <div class="search-field">
        <input
          ref={input}
          type="text"
          class="search-input"
          role="combobox"
          aria-label="Search the log"
          aria-describedby="search-help"
          aria-expanded={completion.options.length > 0}
          aria-controls="search-options"
          aria-autocomplete="list"
          {...(completion.chosen >= 0 && { "aria-activedescendant": `search-option-${completion.chosen}` })}
          placeholder="actor:alice table:shop.orders -op:insert after:2h"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            completion.look();
          }}
          onKeyDown={completion.press}
          onClick={completion.look}
          onBlur={completion.close}
        />
        <kbd class="search-key" aria-hidden="true">
          /
        </kbd>
        <Options completion={completion} />
      </div>
      <button type="submit" class="button is-main">
        Search
      </button>
      <p id="search-help" class="visually-hidden">
        {`Qualifiers: ${qualifierNames.join(", ")}. A dash in front excludes. Anything else is looked for in the values.`}
      </p>
      <div role="alert" class="search-problems">
        {said.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
    </form>
  );
}

function Options({ completion }: { readonly completion: Completion }) {
  return (
    <ul
      id="search-options"
      class="search-options"
      role="listbox"
      aria-label="Completions"
      hidden={completion.options.length === 0}
    >
      {completion.options.map((option, place) => (
        <li
          key={option}
          id={`search-option-${place}`}
          role="option"
          aria-selected={place === completion.chosen}
          onMouseDown={(event) => {
            event.preventDefault();
            completion.take(place);
          }}
        >
          {option}
        </li>
      ))}
    </ul>
  );
}

interface Completion {
  readonly options: readonly string[];
  readonly chosen: number;
  readonly look: () => void;
  readonly close: () => void;
  readonly press: (event: KeyboardEvent) => void;
  readonly take: (place: number) => void;
}

function useCompletion(
  text: string,
  input: { readonly current: HTMLInputElement | null },
  setText: (text: string) => void,
): Completion {
  const [typed, setTyped] = useState<Typed | undefined>();
  const [options, setOptions] = useState<readonly string[]>([]);
  const [chosen, setChosen] = useState(-1);
  const caret = useRef<number | undefined>(undefined);
  const table = readSearch(text, { now: new Date(), zone: "UTC" }).filter.table?.[0];
  const close = () => {
    setTyped(undefined);
    setOptions([]);
    setChosen(-1);
  };
  const look = () =>
    // After the browser has moved the caret.
    setTimeout(() => {
      const field = input.current;
      setTyped(field && document.activeElement === field ? typedAt(field.value, field.selectionStart ?? 0) : undefined);
    });
  useEffect(() => {
    setChosen(-1);
    if (!typed) return setOptions([]);
    const known = knownCompletions(typed);
    if (known) return setOptions(known);
    const controller = new AbortController();
    const asked = questionTo(routes.completions, { of: typed.of, start: typed.start, ...(table && { table }) });
    const timer = setTimeout(() => {
      ask<Completions>(asked, controller.signal)
        .then(({ values }) => setOptions(values.filter((value) => value !== typed.start)))
        // A search can be typed without completions.
        .catch(() => setOptions([]));
    }, wait);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [typed?.of, typed?.start, typed?.from, table]);
  // With the text and before the next key, which would otherwise be typed to one place and read from another.
  useLayoutEffect(() => {
    if (caret.current === undefined) return;
    input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  }, [text]);
  const take = (place: number) => {
    const option = options[place];
    if (!typed || option === undefined) return;
    const after = completed(text, typed, option);
    caret.current = after.caret;
    setText(after.text);
    close();
    if (typed.of === "qualifier") look();
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      if (options.length > 0) close();
      else input.current?.blur();
      return;
    }
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") return void look();
    if (options.length === 0) return;
    if (event.key === "ArrowDown") setChosen((chosen + 1) % options.length);
    else if (event.key === "ArrowUp") setChosen((chosen <= 0 ? options.length : chosen) - 1);
    else if (event.key === "Tab" && !event.shiftKey && typed?.start !== "") take(Math.max(chosen, 0));
    else if (event.key === "Enter" && chosen >= 0) take(chosen);
    else return;
    event.preventDefault();
  };
  return { options, chosen, look: () => void look(), close, press, take };
}
