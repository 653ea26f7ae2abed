import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { type Act, type ActId, type ActPage, type FeedPage, routes } from "../../api";
import { actAddress } from "../../query";
import { ask, questionTo } from "../browser/client";
import { neighboursOf } from "../browser/feed-memory";
import { useKeys } from "../browser/keyboard";
import { Link, navigate } from "../browser/location";
import { useAnswer } from "../browser/use-answer";
import { ActChanges } from "../parts/act-changes";
import { Actor, Deeds, Said } from "../parts/act-line";
import { announce } from "../parts/announcer";
import { feedAddress } from "../parts/filter-chips";
import { Waiting } from "../parts/states";
import { PlainText } from "../parts/text";
import { undoOfAct } from "../reading/addresses";
import { idOf } from "../reading/groups";
import { localZone, momentText } from "../reading/time-text";

/** One act, whole: who, when, why, and each of its changes. */
export function ActView({ id }: { readonly id: ActId }) {
  const asked = useAnswer<ActPage>(questionTo(routes.act, { ...id }));
  const act = asked.answer?.act;
  const neighbours = neighboursOf(id);
  const goTo = (neighbour: ActId | undefined, which: string) => {
    if (neighbour) navigate(actAddress(neighbour));
    else announce(`There is no ${which} act in the list.`);
  };
  const older = () => {
    if (neighbours.older || neighbours.newer) return goTo(neighbours.older, "older");
    // A reader who comes by a link has no list: the next older act of the whole log it is.
    void olderThan(id).then((found) => goTo(found, "older"));
  };
  useKeys({
    "[": () => goTo(neighbours.newer, "newer"),
    "]": older,
    u: () => id.transaction !== null && navigate(undoOfAct(id)),
  });
  useEffect(() => {
    document.title = `Act of ${act?.actor ?? "somebody"} – Audit log`;
  }, [act?.actor]);
  return (
    <div class="act-page">
      <nav class="crumbs" aria-label="Beside this act">
        <Link to={feedAddress(neighbours.filter)}>Acts</Link>
        <span class="crumb-steps">
          {neighbours.newer && <Link to={actAddress(neighbours.newer)}>‹ Newer</Link>}
          {neighbours.older && <Link to={actAddress(neighbours.older)}>Older ›</Link>}
        </span>
      </nav>
      {act ? (
        <>
          <ActHead act={act} />
          <h2 class="visually-hidden">Changes</h2>
          <ActChanges key={idOf(id)} act={id} />
        </>
      ) : (
        <Waiting asked={asked} />
      )}
    </div>
  );
}

function ActHead({ act }: { readonly act: Act }) {
  return (
    <header class="page-head">
      <h1>
        <Actor act={act} />
      </h1>
      <div class="page-deeds">
        <Deeds act={act} />
      </div>
      <Said act={act} />
      <dl class="facts">
        <Fact name="When">
          <time dateTime={act.time}>{momentText(act.time, "UTC", true)} UTC</time>
          {momentText(act.time, "local") !== momentText(act.time, "UTC") && (
            <span class="quiet fact-line">{`${momentText(act.time, "local")} ${localZone()}`}</span>
          )}
        </Fact>
        {act.request !== null && (
          <Fact name="Request">
            <Link to={feedAddress({ request: act.request })}>
              <PlainText text={act.request} />
            </Link>
          </Fact>
        )}
        <Fact name="Transaction">{act.transaction ?? "none: rows of a full load"}</Fact>
        <Fact name="Source">
          <PlainText text={act.source} />
        </Fact>
      </dl>
      {act.transaction !== null && (
        <p class="page-tools">
          <Link to={undoOfAct(act)} class="button">
            Undo this act…
          </Link>
        </p>
      )}
    </header>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

async function olderThan({ source, time }: ActId): Promise<ActId | undefined> {
  try {
    const page = await ask<FeedPage>(questionTo(routes.feed, { filter: JSON.stringify({ source, to: time }) }));
    return page.acts[0];
  } catch {
    return undefined;
  }
}
