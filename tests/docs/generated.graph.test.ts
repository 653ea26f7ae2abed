import { describe, expect, it } from "vitest";
import { alarmTable } from "../../scripts/alarm-table";
import { fixedCosts, total } from "../../scripts/cost";
import { committed, generatedDocuments } from "../../scripts/documents";
import { Graph } from "../../recorder/graph";
import { recordedGraph, recording } from "../setup/recordings";

/** What `npm run docs` records by itself. */
const graphOf = async (stack: string) =>
  recordedGraph(stack === "dev-with-review" ? "devWithReview" : (stack as "dev" | "prod"));

describe("the documents that follow from the sources", () => {
  it.each(generatedDocuments)("are current: npm run docs writes the same $file", async ({ file, content }) => {
    const text = committed(file);
    expect(await content(text, graphOf)).toBe(text);
  });
});

describe("the runbook's table of alarms", () => {
  it.each([
    ["devWithReview", "nothing"],
    ["prod", "review-"],
  ] as const)("has a row for each alarm of %s, and beyond them those of %s alone", (stack, absent) => {
    const alarms = recordedGraph(stack)
      .ofType("aws:cloudwatch/metricAlarm:MetricAlarm")
      .filter(({ name }) => name.startsWith("audit-monitoring-"))
      .map(({ name }) => name.replace("audit-monitoring-", ""));
    const rows = [...alarmTable().matchAll(/^\| `([^`]+)`/gm)].map(([, key]) => key);
    expect(rows.filter((key) => !key?.startsWith(absent)).sort()).toEqual(alarms.sort());
    expect(committed("docs/runbook.md")).toContain(`${rows.length} alarms:`);
  });
});

describe("the fixed costs of a stack", () => {
  const dev = recording("dev");

  function changed(type: string, inputs: object): Graph {
    const registrations = dev.registrations.map((each) =>
      each.type === type
        ? { ...each, inputs: { ...each.inputs, ...inputs }, completedInputs: { ...each.completedInputs, ...inputs } }
        : each,
    );
    return new Graph({ ...dev, registrations });
  }

  it("follow what the graph says", () => {
    const before = total(fixedCosts(new Graph(dev)));
    const more = total(fixedCosts(changed("aws:dms/replicationInstance:ReplicationInstance", { multiAz: true })));
    expect(more - before).toBeCloseTo(0.036 * 730 + 20 * 0.115, 2);
  });

  it("of the smallest stack stay under 285 USD a month", () => {
    expect(total(fixedCosts(new Graph(dev)))).toBeLessThanOrEqual(285);
  });

  it("are not made up for a class without a price", () => {
    const graph = changed("aws:dms/replicationInstance:ReplicationInstance", {
      replicationInstanceClass: "dms.x9.large",
    });
    expect(() => fixedCosts(graph)).toThrow("docs/prices.json has no price per hour of dms.x9.large: add it there.");
  });

  it("are not left out for a type that nobody has thought of", () => {
    const [first, ...rest] = dev.registrations.filter(({ custom }) => custom);
    if (!first) throw new Error("The recording is empty.");
    const graph = new Graph({ ...dev, registrations: [{ ...first, type: "aws:redshift/cluster:Cluster" }, ...rest] });
    expect(() => fixedCosts(graph)).toThrow("Nobody has said what aws:redshift/cluster:Cluster costs");
  });
});
