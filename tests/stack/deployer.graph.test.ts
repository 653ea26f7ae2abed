import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { creatingCalls, forbiddenCalls, otherCalls } from "../iam/deployer";
import { type Call, evaluate, type Policy, statements } from "../iam/evaluate";
import type { Registration } from "../../recorder/engine";
import { type Graph, textInput } from "../../recorder/graph";
import { recordedGraph } from "../setup/recordings";

const text = readFileSync(resolve(__dirname, "../../docs/deployer-policy.json"), "utf8");
const policy = JSON.parse(text) as Policy;
const [region, account] = ["eu-central-1", "111122223333"];

/** What IAM knows a resource by: its own ARN, or that of the bucket, role or repository that it belongs to. */
function arnOf(graph: Graph, resource: Registration): string | undefined {
  const own = resource.outputs.arn ?? resource.outputs.certificateArn;
  const [, service] = resource.type.split(/[:/]/);
  const called = textInput(resource, "functionName");
  const [callee] = graph.ofType("aws:lambda/function:Function").filter((each) => textInput(each, "name") === called);
  if (callee) return String(callee.outputs.arn);
  if (typeof own === "string" && service !== "sns") return own;
  const owners = graph.resources.filter(({ urn, custom }) => custom && resource.dependencies.includes(urn));
  const owner = owners.find(
    ({ type }) => /:(Bucket|Role|Repository|Secret)$/.test(type) && type.split(/[:/]/)[1] === service,
  );
  const arn = owner?.outputs.arn;
  return typeof arn === "string" ? arn : undefined;
}

/** Every call that making a stack begins with. */
function creationOf(graph: Graph): Call[] {
  return graph.resources
    .filter(({ type, custom }) => custom && type.startsWith("aws:"))
    .flatMap((resource) =>
      creatingCalls({
        type: resource.type,
        inputs: Object.keys(resource.completedInputs),
        arn: arnOf(graph, resource),
      }).map((call) => ({ ...call, context: { "iam:PolicyARN": String(resource.inputs.policyArn ?? "") } })),
    );
}

describe("the policy of the deploying role", () => {
  it.each(["dev", "devWithGuests", "devWithReview", "prod"] as const)("lets every resource of %s be made", (stack) => {
    const calls = creationOf(recordedGraph(stack));
    expect(calls.length).toBeGreaterThan(100);
    expect(calls.filter((call) => evaluate([policy], call) !== "allowed")).toEqual([]);
  });

  it("lets them be read, changed, handed to their services and destroyed", () => {
    expect(otherCalls(region, account).filter((call) => evaluate([policy], call) !== "allowed")).toEqual([]);
  });

  it.each(statements(policy).map((statement) => [statement.Sid, statement] as const))(
    "says nothing in vain: without %s something fails",
    (_, dropped) => {
      const rest = { ...policy, Statement: statements(policy).filter((statement) => statement !== dropped) };
      const calls = [
        ...creationOf(recordedGraph("devWithGuests")),
        ...creationOf(recordedGraph("devWithReview")),
        ...otherCalls(region, account),
      ];
      expect(calls.filter((call) => evaluate([rest], call) !== "allowed")).not.toEqual([]);
    },
  );

  it("gives no way to more rights, to other people's things, or to the data itself", () => {
    expect(forbiddenCalls(region, account).filter((call) => evaluate([policy], call) === "allowed")).toEqual([]);
  });

  it("fits into a role as its one inline policy", () => {
    expect(JSON.stringify(policy).length).toBeLessThanOrEqual(10_240);
  });
});
