import type { Alarm, Chart, Hop } from "./hops/hop";
import { acrossBrokersQuery, type ResolvedMetric } from "./metrics-insights";

/** CloudWatch's grid is this wide. */
const gridWidth = 24;
const chartsInRow = 4;
const chartSize = { width: gridWidth / chartsInRow, height: 6 };
const headingHeight = 2;
const alarmsHeight = 4;

/** A widget as CloudWatch's dashboards take it. */
export interface Widget {
  readonly type: "text" | "metric" | "alarm";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A hop whose metrics' dimensions are known. */
export type ResolvedHop = Omit<Hop, "alarms" | "charts"> & {
  readonly alarms: readonly (Omit<Alarm, "metric"> & { readonly metric: ResolvedMetric })[];
  readonly charts: readonly (Omit<Chart, "metrics"> & { readonly metrics: readonly ResolvedMetric[] })[];
};

/**
 * The dashboard: all alarms at a glance, then each hop in the order that data flows, with a heading and its charts.
 * Each alarm has a chart that shows its threshold.
 */
export function dashboardBody(hops: readonly ResolvedHop[], region: string, alarmArns: readonly string[]) {
  const widgets: Widget[] = [
    {
      type: "alarm",
      x: 0,
      y: 0,
      width: gridWidth,
      height: alarmsHeight,
      properties: { title: "Alarms", alarms: alarmArns },
    },
  ];
  let y = alarmsHeight;
  hops.forEach((hop, index) => {
    widgets.push({
      type: "text",
      x: 0,
      y,
      width: gridWidth,
      height: headingHeight,
      properties: { markdown: `## ${index + 1}. ${hop.title}\n${hop.about}` },
    });
    y += headingHeight;
    const charts = [
      ...hop.alarms.map((alarm) => alarmChart(alarm, region)),
      ...hop.charts.map((chart) => metricChart(chart.title, chart.metrics, region)),
    ];
    charts.forEach((properties, place) => {
      const column = place % chartsInRow;
      const row = Math.floor(place / chartsInRow);
      widgets.push({
        type: "metric",
        x: column * chartSize.width,
        y: y + row * chartSize.height,
        ...chartSize,
        properties,
      });
    });
    y += Math.ceil(charts.length / chartsInRow) * chartSize.height;
  });
  return { widgets };
}

function alarmChart(alarm: ResolvedHop["alarms"][number], region: string) {
  const label = `alarm ${alarm.breachedWhen} ${alarm.threshold}`;
  return {
    ...metricChart(`${alarm.metric.name} (${alarm.key})`, [alarm.metric], region),
    annotations: { horizontal: [{ label, value: alarm.threshold, fill: alarm.breachedWhen }] },
  };
}

function metricChart(title: string, metrics: readonly ResolvedMetric[], region: string) {
  return {
    title,
    region,
    view: "timeSeries",
    period: 60,
    metrics: metrics.map((metric, index) => metricLine(metric, index)),
    yAxis: { left: { min: 0 } },
  };
}

/** One line of a chart, in the dashboards' own notation. */
function metricLine(metric: ResolvedMetric, index: number): unknown[] {
  if (metric.acrossBrokers) {
    const label = metric.dimensions.Topic ?? metric.name;
    return [{ expression: acrossBrokersQuery(metric), id: `line${index}`, label }];
  }
  return [
    metric.namespace,
    metric.name,
    ...Object.entries(metric.dimensions).flat(),
    { stat: metric.statistic, label: metric.name },
  ];
}
