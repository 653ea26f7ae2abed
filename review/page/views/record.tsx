import { useEffect } from "preact/hooks";
import { type RecordPage, routes } from "../../api";
import { recordAddress } from "../../query";
import { questionTo } from "../browser/client";
import { addressWith, Link, type Place } from "../browser/location";
import { usePages } from "../browser/use-pages";
import { CopyButton } from "../parts/copy";
import { feedAddress } from "../parts/filter-chips";
import { RecordState } from "../parts/record-state";
import { SeenBy } from "../parts/seen-by";
import { Waiting } from "../parts/states";
import { PlainText } from "../parts/text";
import { Timeline } from "../parts/timeline";
import { stopsOf } from "../reading/steps";
import { keyText } from "../reading/words";

interface RecordProps {
  readonly place: Place;
  readonly table: string;
  readonly recordKey: string;
}

/** A record's whole life, what it is and was, and who looked at it. */
export function RecordView({ place, table, recordKey }: RecordProps) {
  const query = new URLSearchParams(place.query);
  const source = query.get("source") ?? undefined;
  const isRelated = query.get("related") === "1";
  const pages = usePages<RecordPage>(
    (before) =>
      questionTo(routes.record, { table, key: recordKey, source, related: isRelated ? 1 : undefined, before }),
    ({ older }) => older,
  );
  useEffect(() => {
    document.title = `${table} ${keyText(recordKey)} – Audit log`;
  }, [table, recordKey]);
  const [first] = pages.pages;
  const steps = pages.pages.flatMap((page) => page.steps);
  return (
    <div class="record">
      <header class="page-head">
        <nav class="crumbs" aria-label="Where this record is">
          <Link to="/">Acts</Link>
          <Link to={feedAddress({ table: [table] })}>
            <PlainText text={table} />
          </Link>
        </nav>
        <h1>
          <span class="record-table">
            <PlainText text={table} />
          </span>{" "}
          <PlainText text={keyText(recordKey)} />
        </h1>
        <p class="page-tools">
          <Link
            to={addressWith(place, { related: isRelated ? undefined : "1" })}
            class="button"
            aria-current={isRelated ? "true" : undefined}
          >
            {isRelated ? "Without related records" : "With related records"}
          </Link>
          <CopyButton
            text={() => new URL(recordAddress(table, recordKey, source), location.href).href}
            label="Copy link"
            what="a link to the record"
          />
        </p>
      </header>
      {first ? (
        <div class="record-body">
          <section class="record-life" aria-labelledby="life-title">
            <h2 id="life-title">Life</h2>
            {first.narrow !== null && <p class="notice">{first.narrow}</p>}
            <Timeline place={place} steps={steps} pages={pages} />
          </section>
          <div class="record-side">
            <RecordState
              key={`${table} ${recordKey}`}
              place={place}
              record={{ table, key: recordKey, source: source ?? first.source }}
              stops={stopsOf(steps)}
            />
            <SeenBy table={table} recordKey={recordKey} />
          </div>
        </div>
      ) : (
        <Waiting asked={pages.first} lines={8} />
      )}
    </div>
  );
}
