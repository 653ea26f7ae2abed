/** Bars beside each other for each group, drawn left to right; one colour per series. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly string[];
  /** A value per series, in their order; undefined where there is none. */
  readonly groups: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[];
}

const colours = ["#2563eb", "#d97706", "#9ca3af", "#059669"];
const width = 760;
const labelWidth = 210;
const valueWidth = 90;
const barHeight = 15;
const groupGap = 12;
const top = 64;

/** The chart as SVG, readable on light and dark pages. */
export function barChart(chart: BarChart): string {
  const most = Math.max(...chart.groups.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const length = (value: number) => (most > 0 ? (value / most) * (width - labelWidth - valueWidth) : 0);
  const parts: string[] = [];
  let y = top;
  for (const { label, values } of chart.groups) {
    const shownBars = values.flatMap((value, index) => (value === undefined ? [] : [{ value, index }]));
    parts.push(text(labelWidth - 8, y + (shownBars.length * barHeight) / 2 + 4, label, "end"));
    for (const { value, index } of shownBars) {
      parts.push(
        `<rect x="${labelWidth}" y="${y + 1}" width="${length(value).toFixed(1)}" height="${barHeight - 2}" fill="${colours[index % colours.length]}"/>`,
        text(labelWidth + length(value) + 5, y + 11, rounded(value), "start"),
      );
      y += barHeight;
    }
    y += groupGap;
  }
  const legend = chart.series.map((name, index) => {
    const x = 16 + index * (width / chart.series.length);
    return `<rect x="${x}" y="38" width="11" height="11" fill="${colours[index % colours.length]}"/>${text(x + 16, 48, name, "start")}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${y}" fill="#ffffff"/>`,
    `<text x="16" y="24" font-size="14" font-weight="bold" fill="#111827">${escaped(`${chart.title} (${chart.unit})`)}</text>`,
    ...(chart.series.length > 1 ? legend : []),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, anchor: "start" | "end"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#111827">${escaped(content)}</text>`;
}

const rounded = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

const escaped = (content: string) => content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
