import { describe, expect, it } from "vitest";
import { parseInvocation } from "../../operator/lambda/request";
import { jsonInput } from "../../recorder/graph";
import { recordedGraph } from "../setup/recordings";
import { documentNamed, shellLines } from "./documents";

const lines = shellLines({ file: "docs/runbook.md", text: documentNamed("docs/runbook.md") }).map(({ line }) => line);

/** Lines that build a request with jq: its variables, its program, the file that it reads and the one that it writes. */
const builders = lines
  .map((line) =>
    /^jq (?:-n )?((?:--arg \w+ "\$(?:\w+|\([^)]*\))" )+)'(\{.*\})'(?: (\w+)\.json)? > ([\w-]+)\.json$/.exec(line),
  )
  .filter((match) => match !== null)
  .map(([, variables = "", program = "", read = "", written = ""]) => ({
    variables: [...variables.matchAll(/--arg (\w+) /g)].map(([, name = ""]) => name),
    program,
    read,
    written,
  }));

describe("the requests that the runbook makes", () => {
  const graph = recordedGraph("dev");

  /** What the schedule with this word in its name sends. */
  function scheduled(word: string): Record<string, unknown> {
    const schedules = graph.ofType("aws:scheduler/schedule:Schedule").filter(({ name }) => name.includes(word));
    expect(schedules).toHaveLength(1);
    const [schedule] = schedules;
    return (schedule ? jsonInput(schedule, "target.input") : {}) as Record<string, unknown>;
  }

  it("are taken from schedules that exist, each found by one word", () => {
    const words = lines.flatMap((line) => /^aws scheduler get-schedule .*\| grep (\w+)\)"/.exec(line)?.[1] ?? []);
    expect(words).toEqual(["canary", "maintain", "guard"]);
    for (const word of words) expect(parseInvocation(scheduled(word)).request.action).toBe(word);
  });

  it("rotate each credential that the operator can rotate", () => {
    expect(builders.map(({ written }) => written)).toEqual([
      "rotate-writer",
      "rotate-capture",
      "rotate-review",
      "rotate-kafka",
    ]);
  });

  // An object of jq's reads as one of JavaScript's: `$name` is a variable, a lone `name` the member of the input.
  it.each(builders)("are understood by the operator: $written", ({ variables, program, read }) => {
    const input = read === "" ? {} : scheduled(read);
    const names = [...variables.map((name) => `$${name}`), ...Object.keys(input)];
    const values = [...variables.map((name) => `arn:aws:example:::${name}`), ...Object.values(input)];
    const request = new Function(...names, `return (${program});`)(...values) as unknown;
    expect(parseInvocation(request).request.action).toBe("rotate");
  });
});

describe("the alarms that the runbook lists", () => {
  it("are those of a stack with everything, and no others", () => {
    const alarms = recordedGraph("devWithReview").ofType("aws:cloudwatch/metricAlarm:MetricAlarm");
    const deployed = alarms.map(({ name }) => name.replace(/^audit-monitoring-/, ""));
    const listed = [...documentNamed("docs/runbook.md").matchAll(/^\| `([a-z]+(?:-[a-z]+)+)` \| /gm)].map(
      ([, key]) => key,
    );
    expect(listed.toSorted()).toEqual(deployed.toSorted());
  });
});
