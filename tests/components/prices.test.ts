import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const componentsFolder = resolve(__dirname, "../../components");

it("leaves sums of money to docs/cost.md, which is computed: no component states one", () => {
  const sources = readdirSync(componentsFolder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.includes("node_modules"),
  );
  expect(sources.length).toBeGreaterThan(50);
  const withSums = sources.filter((file) => /\bUSD\b|\$\d/.test(readFileSync(join(componentsFolder, file), "utf8")));
  expect(withSums).toEqual([]);
});
