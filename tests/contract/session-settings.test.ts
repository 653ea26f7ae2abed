import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { captureSearchPath, pinSession, valueSettings } from "../../contract/session-settings";

test("the role that DMS reads as has the same settings as every other session of the pipeline", () => {
  const sql = readFileSync(join(__dirname, "../../database/source/002-tables.sql"), "utf8");
  for (const [name, value] of Object.entries({ ...valueSettings, search_path: captureSearchPath })) {
    expect(sql).toContain(`('${name}', '${value}')`);
  }
});

test("a pinned session keeps its search path unless it is given one", () => {
  expect(pinSession()).not.toContain("search_path");
  expect(pinSession("pg_catalog")).toMatch(/; SET search_path = pg_catalog$/);
});
