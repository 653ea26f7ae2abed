import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

export type Zone = "UTC" | "local";
export type Theme = "auto" | "light" | "dark";

export interface Preferences {
  readonly zone: Zone;
  readonly theme: Theme;
  readonly setZone: (zone: Zone) => void;
  readonly setTheme: (theme: Theme) => void;
}

const Context = createContext<Preferences>({
  zone: "UTC",
  theme: "auto",
  setZone: () => undefined,
  setTheme: () => undefined,
});

export const PreferencesProvider = Context.Provider;

/** How this reader wants times and colours. They are of the browser, not of a view, so they are in no address. */
export const usePreferences = () => useContext(Context);

/** The preferences as this browser keeps them. */
export function useKeptPreferences(): Preferences {
  const [zone, setZone] = useKept<Zone>("zone", ["UTC", "local"]);
  const [theme, setTheme] = useKept<Theme>("theme", ["auto", "light", "dark"]);
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  return { zone, theme, setZone, setTheme };
}

function useKept<Choice extends string>(name: string, choices: readonly Choice[]): [Choice, (choice: Choice) => void] {
  const [choice, setChoice] = useState(() => {
    const kept = keptText(name);
    return choices.find((each) => each === kept) ?? (choices[0] as Choice);
  });
  const keep = (next: Choice) => {
    setChoice(next);
    try {
      localStorage.setItem(`review-${name}`, next);
    } catch {
      // A browser that keeps nothing forgets it with the tab.
    }
  };
  return [choice, keep];
}

function keptText(name: string): string | null {
  try {
    return localStorage.getItem(`review-${name}`);
  } catch {
    return null;
  }
}
