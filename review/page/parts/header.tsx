import type { Health } from "../../api";
import { useLogState } from "../browser/log-health";
import { Link } from "../browser/location";
import { type Theme, usePreferences } from "../browser/preferences";
import { useNow } from "../browser/use-now";
import { agoText, localZone } from "../reading/time-text";
import { plural } from "../reading/words";
import { Time } from "./time";

const themes: readonly Theme[] = ["auto", "light", "dark"];

/** The head of every view: where one can go, how the log is, and how the reader wants to see it. */
export function Header({ path, onHelp }: { readonly path: string; readonly onHelp: () => void }) {
  const { zone, theme, setZone, setTheme } = usePreferences();
  const nextTheme = themes[(themes.indexOf(theme) + 1) % themes.length] as Theme;
  const current = (isHere: boolean) => (isHere ? ({ "aria-current": "page" } as const) : {});
  return (
    <header class="header">
      <a class="skip" href="#main">
        To the content
      </a>
      <Link to="/" class="brand">
        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
          <path d="M2.5 3.5h11M2.5 8h7M2.5 12.5h9" />
        </svg>
        Audit log
      </Link>
      <nav class="nav" aria-label="Views">
        <Link to="/" {...current(path === "/")}>
          Acts
        </Link>
        <Link to="/reads" {...current(path === "/reads")}>
          Readers
        </Link>
      </nav>
      <HealthMenu />
      <div class="header-tools">
        <button
          type="button"
          class="button is-quiet"
          title={zone === "UTC" ? `Show times of ${localZone()}` : "Show times in UTC"}
          aria-label={`Times in ${zone === "UTC" ? "UTC" : localZone()}. Change`}
          onClick={() => setZone(zone === "UTC" ? "local" : "UTC")}
        >
          {zone === "UTC" ? "UTC" : "Local"}
        </button>
        <button
          type="button"
          class="button is-quiet"
          title={`Colours: ${theme}. Change to ${nextTheme}`}
          aria-label={`Colours: ${theme}. Change to ${nextTheme}`}
          onClick={() => setTheme(nextTheme)}
        >
          {{ auto: "Auto", light: "Light", dark: "Dark" }[theme]}
        </button>
        <button
          type="button"
          class="button is-quiet"
          aria-label="Help"
          title="Keys and qualifiers (?)"
          onClick={onHelp}
        >
          ?
        </button>
      </div>
    </header>
  );
}

/** How the log is, in two words, and opened in sentences. */
function HealthMenu() {
  const { health, trouble, session } = useLogState();
  const now = useNow();
  if (trouble) {
    return (
      <details class="menu health">
        <summary class="button is-quiet health-sum is-bad">
          <span class="health-dot" aria-hidden="true" />
          {trouble.error === "database away" ? "Database away" : "Health unknown"}
        </summary>
        <div class="menu-body">
          <p>{trouble.message}</p>
        </div>
      </details>
    );
  }
  if (!health) return <span class="health quiet">…</span>;
  const { state, text } = healthInShort(health, now);
  return (
    <details class="menu health">
      <summary class={`button is-quiet health-sum is-${state}`}>
        <span class="health-dot" aria-hidden="true" />
        {text}
      </summary>
      <div class="menu-body health-body">
        <HealthFacts health={health} />
        {session && (
          <p class="quiet">{`You read as ${session.reader}${session.scope ? `, who may see ${session.scope.join(", ")}` : ""}.`}</p>
        )}
      </div>
    </details>
  );
}

function HealthFacts({ health }: { readonly health: Health }) {
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Whole up to</dt>
          <dd>{health.newest === null ? "not known" : <Time at={health.newest} />}</dd>
        </div>
        <div>
          <dt>From commit to log</dt>
          <dd>{health.lagSeconds === null ? "not known" : `${health.lagSeconds.toFixed(1)} s`}</dd>
        </div>
        <div>
          <dt>Dead letters</dt>
          <dd>{health.deadLetters === null ? "not known here" : health.deadLetters}</dd>
        </div>
        <div>
          <dt>Seal</dt>
          <dd>{health.seal.detail}</dd>
        </div>
      </dl>
      {health.problems.length > 0 && (
        <>
          <h2>Problems of the capture</h2>
          <ul class="problems">
            {health.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </>
      )}
      {health.unknown.map((each) => (
        <p key={each} class="quiet">
          {each}
        </p>
      ))}
    </>
  );
}

function healthInShort(
  health: Health,
  now: number,
): { readonly state: "good" | "warn" | "bad"; readonly text: string } {
  if (health.deadLetters !== null && health.deadLetters > 0)
    return { state: "bad", text: plural(health.deadLetters, "dead letter") };
  if (health.problems.length > 0) return { state: "warn", text: plural(health.problems.length, "problem") };
  if (health.newest === null) return { state: "warn", text: "Freshness unknown" };
  return { state: "good", text: `Newest ${agoText(health.newest, now) ?? "over 2 days ago"}` };
}
