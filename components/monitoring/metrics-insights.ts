import type { Metric } from "./hops/hop";

/** A metric whose dimensions are known. */
export type ResolvedMetric = Omit<Metric, "dimensions"> & { readonly dimensions: Readonly<Record<string, string>> };

const aggregates = { Average: "AVG", Maximum: "MAX", Minimum: "MIN", Sum: "SUM", SampleCount: "COUNT" } as const;

/** The dimension that is left out of a metric taken across brokers. */
const brokerDimension = "Broker ID";

/**
 * The CloudWatch Metrics Insights query for a metric across all brokers of a cluster. Their number may change, and an
 * alarm has no other way to search for metrics.
 */
export function acrossBrokersQuery({ namespace, name, statistic, dimensions }: ResolvedMetric): string {
  const schema = [...Object.keys(dimensions), brokerDimension].sort().map(quoteName).join(", ");
  const filter = Object.entries(dimensions)
    .map(([dimension, value]) => `${quoteName(dimension)} = ${quoteText(value)}`)
    .join(" AND ");
  return `SELECT ${aggregates[statistic]}(${name}) FROM SCHEMA(${quoteName(namespace)}, ${schema}) WHERE ${filter}`;
}

function quoteName(name: string): string {
  return `"${name}"`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
