import { useEffect, useRef, useState } from "preact/hooks";
import { useAskedLogState, LogStateProvider } from "./browser/log-health";
import { currentLine, followOfLine, moveLine, useKeys } from "./browser/keyboard";
import { Link, type Place, usePlace } from "./browser/location";
import { PreferencesProvider, useKeptPreferences } from "./browser/preferences";
import { Announcer } from "./parts/announcer";
import { copyText } from "./parts/copy";
import { Header } from "./parts/header";
import { Help } from "./parts/help";
import { routeOf } from "./reading/route";
import { ActView } from "./views/act";
import { FeedView } from "./views/feed";
import { ReadersView } from "./views/readers";
import { RecordView } from "./views/record";
import { UndoView } from "./views/undo";

/** The page: its head, and the view that the address names. */
export function App() {
  const place = usePlace();
  const preferences = useKeptPreferences();
  const logState = useAskedLogState();
  const [isHelping, setHelping] = useState(false);
  usePageKeys(() => setHelping(true));
  useFocusOfPlace(place);
  return (
    <PreferencesProvider value={preferences}>
      <LogStateProvider value={logState}>
        <Header path={place.path} onHelp={() => setHelping(true)} />
        <main id="main" class="main" tabIndex={-1}>
          <View place={place} />
        </main>
        {isHelping && <Help onClose={() => setHelping(false)} />}
        <Announcer />
      </LogStateProvider>
    </PreferencesProvider>
  );
}

function View({ place }: { readonly place: Place }) {
  const route = routeOf(place);
  switch (route.view) {
    case "feed":
      return <FeedView place={place} />;
    case "act":
      return <ActView id={route.id} />;
    case "record":
      return <RecordView place={place} table={route.table} recordKey={route.key} />;
    case "undo":
      return <UndoView place={place} />;
    case "reads":
      return <ReadersView />;
    default:
      return <Nowhere />;
  }
}

function Nowhere() {
  return (
    <section class="notice">
      <h1>This page does not exist</h1>
      <p>
        The log begins at <Link to="/">its acts</Link>. A record's page is{" "}
        <code>{'/record/shop.orders?key={"id":42}'}</code>.
      </p>
    </section>
  );
}

/** Where the focus goes when what had it is gone: to the new view, so that keys and screen readers begin there. */
function useFocusOfPlace({ path, query }: Place): void {
  const shown = useRef(path);
  useEffect(() => {
    const isOtherView = shown.current !== path;
    shown.current = path;
    if (isOtherView || document.activeElement === null || document.activeElement === document.body)
      document.getElementById("main")?.focus({ preventScroll: true });
  }, [path, query]);
}

/** The keys that mean the same in every view. */
function usePageKeys(onHelp: () => void): void {
  useKeys({
    j: () => moveLine(1),
    k: () => moveLine(-1),
    o: () => void followOfLine("open"),
    u: () => void followOfLine("undo"),
    y: () => {
      const address = currentLine()?.closest<HTMLElement>("[data-address]")?.dataset.address;
      const url = new URL(address ?? location.href, location.href).href;
      void copyText(url, address ? "a link to the line" : "a link to this view");
    },
    "?": onHelp,
  });
  useEffect(() => {
    // A menu closes when something else is clicked, or by Escape, which gives the focus back.
    const close = (event: Event) => {
      for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
        if (event instanceof KeyboardEvent) {
          if (event.key !== "Escape") return;
          menu.open = false;
          menu.querySelector("summary")?.focus();
        } else if (!menu.contains(event.target as Node)) menu.open = false;
      }
    };
    addEventListener("pointerdown", close);
    addEventListener("keydown", close);
    return () => {
      removeEventListener("pointerdown", close);
      removeEventListener("keydown", close);
    };
  }, []);
}
