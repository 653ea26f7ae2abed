import type { Change } from "../../api";
import { isObject, type Json, stringifyExact } from "../../exact-json";
import { readJson } from "../reading/words";
import { PlainText } from "./text";

/** What happened to a table as a whole: its shape, its emptying, a load. */
export function TableEvent({ change }: { readonly change: Change }) {
  if (change.operation === "truncate")
    return <p class="table-event">Every row of the table was removed by a TRUNCATE.</p>;
  const detail = change.detail === null ? undefined : (readJson(change.detail) as Json);
  if (!isObject(detail)) return null;
  const changes = Array.isArray(detail.changes) ? (detail.changes as readonly Json[]).filter(isObject) : [];
  return (
    <div class="table-event">
      {changes.length > 0 && (
        <ul>
          {changes.map((each, place) => (
            <li key={place}>
              <PlainText text={shapeChange(each)} />
            </li>
          ))}
        </ul>
      )}
      {typeof detail.command === "string" && (
        <p>
          by <code>{detail.command}</code>
        </p>
      )}
      {change.operation === "load" && <LoadDetail detail={detail} />}
      {change.operation === "schema" && changes.length === 0 && typeof detail.reason === "string" && (
        <p>
          <PlainText text={reasons[detail.reason] ?? detail.reason} />
        </p>
      )}
    </div>
  );
}

const reasons: Readonly<Record<string, string>> = {
  watch: "The table is watched from here on.",
  unwatch: "The table is not watched any more.",
  drop: "The table, or its name, is gone.",
  ddl: "The rows were rewritten.",
};

function LoadDetail({ detail }: { readonly detail: { readonly [name: string]: Json } }) {
  const text = (name: string) => (detail[name] === undefined ? undefined : String(detail[name]));
  const reason = text("reason");
  return (
    <p>
      {reason !== undefined && <PlainText text={`${reason}. `} />}
      {text("rows") !== undefined && `${text("rows")} rows were read. `}
      {text("last_seen") !== undefined && `Last seen ${text("last_seen")}.`}
    </p>
  );
}

/** A change of a table's shape in words. */
function shapeChange(change: { readonly [name: string]: Json }): string {
  const { change: kind, column, from, to, type, ...rest } = change;
  const texts = [kind, column, type === undefined ? undefined : `(${said(type)})`].filter((part) => part !== undefined);
  const span = from === undefined && to === undefined ? "" : `: ${said(from ?? null)} → ${said(to ?? null)}`;
  const others = Object.keys(rest).length === 0 || span !== "" ? "" : ` ${stringifyExact(rest)}`;
  return `${texts.map((text) => said(text as Json)).join(" ")}${span}${others}`;
}

const said = (value: Json): string => (typeof value === "string" ? value : stringifyExact(value));
