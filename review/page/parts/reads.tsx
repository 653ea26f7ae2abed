import { type Filter, type Read, type ReadsPage, routes } from "../../api";
import { isObject, type Json } from "../../exact-json";
import { recordAddress, searchOf } from "../../query";
import { questionTo } from "../browser/client";
import { Link } from "../browser/location";
import { usePages } from "../browser/use-pages";
import { keyText, readJson } from "../reading/words";
import { feedAddress } from "./filter-chips";
import { More } from "./more";
import { Waiting } from "./states";
import { PlainText } from "./text";
import { Time } from "./time";

const didWhat: Readonly<Record<Read["action"], string>> = {
  feed: "searched",
  act: "opened an act",
  record: "opened the record",
  undo: "asked for an undo",
  picture: "looked at the picture",
  export: "exported",
  reveal: "revealed hidden columns",
  value: "opened a long value",
  tail: "watched live",
  reads: "looked who reads",
};

/** Who looked: at one record, or at anything in this log. */
export function Reads({ table, recordKey }: { readonly table?: string; readonly recordKey?: string }) {
  const pages = usePages<ReadsPage>(
    (before) => questionTo(routes.reads, { table, key: recordKey, before }),
    ({ older }) => older,
  );
  const reads = pages.pages.flatMap((page) => page.reads);
  if (pages.pages.length === 0) return <Waiting asked={pages.first} lines={3} />;
  if (reads.length === 0) return <p class="quiet">Nobody has looked at it on this page.</p>;
  const isOfRecord = table !== undefined;
  return (
    <>
      <table class="plain-table">
        <caption class="visually-hidden">Readers, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Did</th>
            {!isOfRecord && <th scope="col">With</th>}
          </tr>
        </thead>
        <tbody>
          {reads.map((read, place) => (
            <tr key={`${read.time} ${place}`}>
              <td>
                <Time at={read.time} />
              </td>
              <th scope="row">
                <PlainText text={read.reader} />
              </th>
              <td>
                {didWhat[read.action] ?? read.action}
                {read.reason !== null && (
                  <span class="said-reason">
                    {" “"}
                    <PlainText text={read.reason} />”
                  </span>
                )}
              </td>
              {!isOfRecord && (
                <td>
                  <ReadWhat read={read} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <More pages={pages} label="Earlier readers" isAutomatic={false} />
    </>
  );
}

function ReadWhat({ read }: { readonly read: Read }) {
  if (read.table !== null && read.key !== null) {
    return (
      <Link to={recordAddress(read.table, read.key)}>
        <PlainText text={`${read.table} ${keyText(read.key)}`} />
      </Link>
    );
  }
  const detail = readJson(read.detail) as Json;
  if (isObject(detail) && isObject(detail.filter)) {
    const filter = detail.filter as Filter;
    return (
      <Link to={feedAddress(filter)}>
        <PlainText text={searchOf(filter) || "everything of the default span"} />
      </Link>
    );
  }
  const text = read.detail === "{}" ? "" : read.detail;
  return (
    <span class="read-detail">
      <PlainText text={[read.table ?? "", text.length > 160 ? `${text.slice(0, 160)}…` : text].join(" ").trim()} />
    </span>
  );
}
