import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { goldenDifference, goldenText } from "../../recorder/golden";
import { recordedStacks, goldenFile } from "../../recorder/stacks";
import { recording } from "../setup/recordings";

describe("what a stack creates", () => {
  it.each(recordedStacks)("is in %s what was last reviewed (npm run graph:update rewrites it)", (stack) => {
    expect(goldenText(recording(stack))).toBe(readFileSync(goldenFile(stack), "utf8"));
  });

  it("is beyond dev, with the reviewer's page, what was last reviewed", () => {
    const difference = goldenDifference(recording("dev"), recording("devWithReview"));
    expect(difference).toBe(readFileSync(goldenFile("dev-with-review"), "utf8"));
  });
});
