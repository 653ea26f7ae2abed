import { useEffect, useState } from "preact/hooks";
import { limits, routes, type Undo } from "../../api";
import { actAddress } from "../../query";
import { questionTo } from "../browser/client";
import { Link, type Place } from "../browser/location";
import { type Asked, useAnswer } from "../browser/use-answer";
import { CopyButton } from "../parts/copy";
import { Waiting } from "../parts/states";
import { PlainText } from "../parts/text";
import { Time } from "../parts/time";
import { plural } from "../reading/words";

const names = ["time", "event", "source", "transaction", "actor", "from", "to"] as const;

/** The SQL that takes a change, an act, or what somebody did in a span back: to read, to copy, never to run from here. */
export function UndoView({ place }: { readonly place: Place }) {
  const query = new URLSearchParams(place.query);
  const about = Object.fromEntries(names.map((name) => [name, query.get(name) ?? undefined]));
  const [reason, setReason] = useState<string | undefined>();
  const asked = useAnswer<Undo>(questionTo(routes.undo, { ...about, reason }));
  useEffect(() => {
    document.title = "Undo – Audit log";
  }, []);
  return (
    <div class="undo">
      <header class="page-head">
        <h1>Undo</h1>
        <p>
          <About about={about} />
        </p>
      </header>
      {asked.trouble?.error === "not allowed" && <ReasonForm onReason={setReason} />}
      <Waiting asked={asked} />
      {asked.answer && <UndoText undo={asked.answer} />}
    </div>
  );
}

function About({ about }: { readonly about: Readonly<Record<string, string | undefined>> }) {
  if (about.actor !== undefined && about.from !== undefined && about.to !== undefined) {
    return (
      <>
        Everything that{" "}
        <strong>
          <PlainText text={about.actor} />
        </strong>{" "}
        did from <Time at={about.from} /> until <Time at={about.to} />
      </>
    );
  }
  if (about.time === undefined) return <>Nothing was named to be undone.</>;
  if (about.event !== undefined) {
    return (
      <>
        One change of <Time at={about.time} form="exact" />
      </>
    );
  }
  const act = { source: about.source ?? "", time: about.time, transaction: about.transaction ?? null };
  return (
    <>
      The act of{" "}
      <Link to={actAddress(act)}>
        <Time at={about.time} form="exact" />
      </Link>
    </>
  );
}

function UndoText({ undo }: { readonly undo: NonNullable<Asked<Undo>["answer"]> }) {
  const { sql, obstacles, changes } = undo;
  return (
    <>
      {obstacles.length > 0 ? (
        <section class="notice is-trouble" aria-label="In the way">
          <h2>{`${plural(obstacles.length, "thing")} to know first`}</h2>
          <ul>
            {obstacles.map((obstacle) => (
              <li key={obstacle}>
                <PlainText text={obstacle} />
              </li>
            ))}
          </ul>
        </section>
      ) : (
        <p class="notice is-good">Nothing that the log knows stands in its way.</p>
      )}
      <p>
        {`It takes ${plural(changes, "change")} back, the last one first, in one transaction. Read it, then run it in the source
        database as yourself. It fails, and changes nothing, where somebody changed a row since. Like any change it will stand
        in this log.`}
      </p>
      <div class="code-head">
        <h2>SQL</h2>
        <CopyButton text={() => sql} label="Copy the SQL" what="the SQL" />
      </div>
      <pre class="code" tabIndex={0} role="region" aria-label="SQL that undoes it">
        <PlainText text={sql} />
      </pre>
    </>
  );
}

function ReasonForm({ onReason }: { readonly onReason: (reason: string) => void }) {
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    onReason(text.trim());
  };
  return (
    <form class="notice" onSubmit={submit}>
      <label class="field">
        The text would show columns that are hidden from you. Why do you need it? The log keeps your answer.
        <textarea
          required
          rows={2}
          maxLength={limits.reasonCharacters}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button is-main" disabled={text.trim() === ""}>
        Show the undo
      </button>
    </form>
  );
}
