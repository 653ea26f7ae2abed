import { describe, expect, it } from "vitest";
import {
  captureCalls,
  connectWorkerCalls,
  exampleFacts,
  exampleGuests,
  exampleOperator,
  exampleReview,
  guestsEndCalls,
  operatorCalls,
  reviewExecutionCalls,
  schedulerCalls,
  taskExecutionCalls,
  transformerCalls,
} from "./calls";
import { evaluate } from "./evaluate";

const lists = {
  "the Connect worker": connectWorkerCalls(exampleFacts),
  "the transformer": transformerCalls(exampleFacts),
  "ECS on behalf of the transformer": taskExecutionCalls(exampleFacts),
  "ECS on behalf of the page": reviewExecutionCalls(exampleFacts, exampleReview),
  DMS: captureCalls(exampleFacts),
  "the operator": operatorCalls(exampleFacts, exampleOperator),
  "the operator's schedules": schedulerCalls(exampleFacts, exampleOperator),
  "the schedule that shuts guests out": guestsEndCalls(exampleFacts, exampleGuests),
};

describe.each(Object.entries(lists))("the calls of %s", (_, { allowed, forbidden }) => {
  it("catch a role without permissions", () => {
    expect(allowed.length).toBeGreaterThan(0);
    expect(allowed.filter((call) => evaluate([], call) === "allowed")).toEqual([]);
  });

  it("catch a role that may do everything", () => {
    const everything = { Statement: { Effect: "Allow", Action: "*", Resource: "*" } };
    expect(forbidden.filter((call) => evaluate([everything], call) !== "allowed")).toEqual([]);
    expect(forbidden.length).toBeGreaterThan(20);
  });

  it("contradict each other nowhere", () => {
    const texts = new Set(allowed.map((call) => JSON.stringify(call)));
    expect(forbidden.filter((call) => texts.has(JSON.stringify(call)))).toEqual([]);
  });
});
