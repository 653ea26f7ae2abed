import { useRef, useState } from "preact/hooks";
import { type Filter, type Operation, operations, type Picture, routes, type Top } from "../../api";
import { draftOf, filterOf, toggled } from "../../query";
import { questionTo } from "../browser/client";
import { Link, navigate } from "../browser/location";
import { useAnswer } from "../browser/use-answer";
import { type Bars, barsOf, type Column } from "../reading/bars";
import { counted, plural } from "../reading/words";
import { feedAddress } from "./filter-chips";
import { Waiting } from "./states";
import { PlainText } from "./text";
import { Time } from "./time";

/** Changes over time by operation, and who and what is in most of them. */
export function PictureOfSpan({ filter }: { readonly filter: Filter }) {
  const asked = useAnswer<Picture>(questionTo(routes.picture, { filter: JSON.stringify(filter) }));
  const { answer } = asked;
  if (!answer) {
    return (
      <section class="picture" aria-label="Changes over time">
        <div class="picture-chart is-waiting">
          {asked.state === "loading" ? null : <Waiting asked={asked} lines={1} />}
        </div>
      </section>
    );
  }
  const bars = barsOf(answer);
  return (
    <>
      <section class="picture" aria-label="Changes over time">
        <div class="picture-head">
          <Legend bars={bars} isEstimate={answer.isEstimate} />
        </div>
        <Chart bars={bars} filter={filter} />
        <div class="picture-axis" aria-hidden="true">
          <Time at={answer.window.from} />
          <Time at={answer.window.to} />
        </div>
        <details class="picture-table">
          <summary>As a table</summary>
          <BarsTable bars={bars} filter={filter} />
        </details>
      </section>
      <aside class="tops" aria-label="Most in this span">
        <Tops title="Tables" name="table" tops={answer.tables} filter={filter} isEstimate={answer.isEstimate} />
        <Tops
          title={`Who, by ${answer.actorsAreCountedBy}`}
          name="actor"
          tops={answer.actors}
          filter={filter}
          isEstimate={answer.isEstimate}
        />
      </aside>
    </>
  );
}

function Legend({ bars, isEstimate }: { readonly bars: Bars; readonly isEstimate: boolean }) {
  const sums = new Map<Operation, number>();
  for (const { parts } of bars.columns)
    for (const { operation, from, to } of parts) sums.set(operation, (sums.get(operation) ?? 0) + to - from);
  return (
    <ul class="legend">
      <li class="legend-total">{`${isEstimate ? "about " : ""}${plural(bars.total, "change")}`}</li>
      {operations
        .filter((operation) => sums.has(operation))
        .map((operation) => (
          <li key={operation}>
            <span class={`legend-sign is-${operation}`} aria-hidden="true" />
            {`${operation} ${counted(sums.get(operation) ?? 0)}`}
          </li>
        ))}
    </ul>
  );
}

const spanOf = (filter: Filter, from: Column, to: Column) =>
  feedAddress(filterOf({ ...draftOf(filter), from: from.start, to: to.end }));

/** Height of the picture in its own units; one unit of its width is a column. */
const height = 100;

/** The columns, of which a stretch can be drawn with the pointer; the table below does the same by links. */
function Chart({ bars, filter }: { readonly bars: Bars; readonly filter: Filter }) {
  const chart = useRef<SVGSVGElement>(null);
  const [brush, setBrush] = useState<{ readonly from: number; readonly to: number } | undefined>();
  const [over, setOver] = useState<number | undefined>();
  const count = bars.columns.length;
  const columnAt = (event: PointerEvent) => {
    const box = chart.current?.getBoundingClientRect();
    if (!box || box.width === 0) return 0;
    return Math.max(0, Math.min(count - 1, Math.floor(((event.clientX - box.left) / box.width) * count)));
  };
  const begin = (event: PointerEvent) => {
    if (event.button !== 0) return;
    chart.current?.setPointerCapture(event.pointerId);
    const at = columnAt(event);
    setBrush({ from: at, to: at });
  };
  const move = (event: PointerEvent) => {
    const at = columnAt(event);
    setOver(at);
    setBrush((before) => before && { ...before, to: at });
  };
  const end = () => {
    if (brush === undefined) return;
    setBrush(undefined);
    const [from, to] = [bars.columns[Math.min(brush.from, brush.to)], bars.columns[Math.max(brush.from, brush.to)]];
    if (from && to) navigate(spanOf(filter, from, to));
  };
  const selected = brush && { from: Math.min(brush.from, brush.to), to: Math.max(brush.from, brush.to) + 1 };
  return (
    <div class="picture-chart">
      <svg
        ref={chart}
        viewBox={`0 0 ${count} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${plural(bars.total, "change")} over ${plural(count, "step")} of time. The table below has the numbers.`}
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={end}
        onPointerLeave={() => setOver(undefined)}
        onPointerCancel={() => setBrush(undefined)}
      >
        {over !== undefined && <rect class="chart-over" x={over} y={0} width={1} height={height} />}
        {bars.columns.map((column, place) =>
          column.parts.map(({ operation, from, to }) => (
            <rect
              key={`${column.start} ${operation}`}
              class={`bar is-${operation}`}
              x={place + 0.1}
              width={0.8}
              y={height - Math.max((to / bars.most) * height, 2)}
              height={Math.max(((to - from) / bars.most) * height, 2)}
            />
          )),
        )}
        {selected && (
          <rect class="chart-brush" x={selected.from} y={0} width={selected.to - selected.from} height={height} />
        )}
      </svg>
      <ChartTip bars={bars} over={over} />
    </div>
  );
}

function ChartTip({ bars, over }: { readonly bars: Bars; readonly over: number | undefined }) {
  const column = over === undefined ? undefined : bars.columns[over];
  return (
    <p class="chart-tip" aria-hidden="true">
      {column ? (
        <>
          <Time at={column.start} />
          {`: ${column.parts.map(({ operation, from, to }) => `${operation} ${counted(to - from)}`).join(", ") || "nothing"}`}
        </>
      ) : (
        "Draw over a stretch to look into it"
      )}
    </p>
  );
}

function BarsTable({ bars, filter }: { readonly bars: Bars; readonly filter: Filter }) {
  const columns = bars.columns.filter(({ total }) => total > 0);
  return (
    <table class="plain-table">
      <caption class="visually-hidden">Changes over time</caption>
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col">Changes</th>
          <th scope="col">Of these</th>
        </tr>
      </thead>
      <tbody>
        {columns.map((column) => (
          <tr key={column.start}>
            <th scope="row">
              <Link to={spanOf(filter, column, column)}>
                <Time at={column.start} />
              </Link>
            </th>
            <td class="is-number">{counted(column.total)}</td>
            <td>{column.parts.map(({ operation, from, to }) => `${operation} ${counted(to - from)}`).join(", ")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface TopsProps {
  readonly title: string;
  readonly name: "table" | "actor";
  readonly tops: readonly Top[];
  readonly filter: Filter;
  readonly isEstimate: boolean;
}

function Tops({ title, name, tops, filter, isEstimate }: TopsProps) {
  const most = Math.max(1, ...tops.map(({ count }) => count));
  if (tops.length === 0) return null;
  return (
    <section class="top">
      <h2>{title}</h2>
      <ol>
        {tops.slice(0, 8).map((top) => {
          const isChosen = filter[name]?.includes(top.name) ?? false;
          return (
            <li key={top.name}>
              <Link
                to={feedAddress(toggled(filter, name, top.name))}
                class="top-line"
                aria-current={isChosen ? "true" : undefined}
              >
                <span class="top-name">
                  <PlainText text={top.name} />
                </span>
                <span class="top-count">{`${isEstimate ? "≈ " : top.atLeast ? "≥ " : ""}${counted(top.count)}`}</span>
                <meter class="top-bar" min={0} max={most} value={top.count} aria-hidden="true" />
              </Link>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
