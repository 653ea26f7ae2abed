import type { Change, RecordPage, RecordStep } from "../../api";
import { actAddress, recordAddress } from "../../query";
import { addressWith, Link, type Place } from "../browser/location";
import type { Pages } from "../browser/use-pages";
import { keyText, plural } from "../reading/words";
import { Actor } from "./act-line";
import { ChangeView, RecordLink, UndoLink } from "./change-view";
import { feedAddress } from "./filter-chips";
import { More } from "./more";
import { OperationBadge } from "./operation-badge";
import { PlainText } from "./text";
import { Time } from "./time";

interface TimelineProps {
  readonly place: Place;
  readonly steps: readonly RecordStep[];
  readonly pages: Pages<RecordPage>;
}

/** The steps of a record's life, newest first. */
export function Timeline({ place, steps, pages }: TimelineProps) {
  if (steps.length === 0) return <p class="notice">The log knows nothing of this record.</p>;
  return (
    <>
      <ol class="timeline">
        {steps.map((step) => (
          <Step key={keyOf(step)} place={place} step={step} />
        ))}
      </ol>
      <More pages={pages} label="Earlier steps" />
      {!pages.hasNext && (
        <p class="quiet timeline-end">{`The log begins here for this record: ${plural(steps.length, "step")}.`}</p>
      )}
    </>
  );
}

function keyOf(step: RecordStep): string {
  if (step.kind === "moved") return `moved ${step.time}`;
  if (step.kind === "gap") return `gap ${step.to}`;
  return `${step.kind} ${step.change.event}`;
}

function Step({ place, step }: { readonly place: Place; readonly step: RecordStep }) {
  switch (step.kind) {
    case "moved":
      return (
        <li class="step is-moved">
          <p>
            Before <Time at={step.time} /> it was{" "}
            <Link to={recordAddress(step.former.table, step.former.key)}>
              <PlainText text={`${step.former.table} ${keyText(step.former.key)}`} />
            </Link>
            .
          </p>
        </li>
      );
    case "gap":
      return (
        <li class="step is-gap">
          <p>
            <strong>Not known</strong>{" "}
            {step.from !== null && (
              <>
                from <Time at={step.from} />{" "}
              </>
            )}
            until <Time at={step.to} />: <PlainText text={step.reason} />
          </p>
        </li>
      );
    case "table":
      return <ChangeStep place={place} change={step.change} kind="table" />;
    default:
      return <ChangeStep place={place} change={step.change} kind={step.related ? "related" : "own"} />;
  }
}

interface ChangeStepProps {
  readonly place: Place;
  readonly change: Change;
  /** Of the record itself, of a record that refers to it, or of its table as a whole. */
  readonly kind: "own" | "related" | "table";
}

function ChangeStep({ place, change, kind }: ChangeStepProps) {
  return (
    <li class={`step is-${kind} is-${change.operation}`} data-line-body data-address={actAddress(change)}>
      <header class="step-head">
        <Link to={actAddress(change)} data-line data-purpose="open" class="step-time">
          <Time at={change.time} />
        </Link>
        <OperationBadge operation={change.operation} />
        <Actor act={{ actor: change.actor, otherActors: [] }} />
        {change.request !== null && (
          <Link to={feedAddress({ request: change.request })} class="quiet-link">
            <PlainText text={change.request} />
          </Link>
        )}
        <span class="step-tools">
          {kind !== "related" && (
            <>
              <Link to={addressWith(place, { at: change.time, from: undefined, to: undefined })} class="quiet-link">
                As it was<span class="visually-hidden"> then</span>
              </Link>
              <Link to={addressWith(place, { from: change.time, at: undefined })} class="quiet-link">
                Compare<span class="visually-hidden"> from then on</span>
              </Link>
            </>
          )}
          <UndoLink change={change} />
        </span>
      </header>
      {kind === "related" && (
        <p>
          <RecordLink change={change} />
        </p>
      )}
      <ChangeView change={change} hasHead={false} />
    </li>
  );
}
