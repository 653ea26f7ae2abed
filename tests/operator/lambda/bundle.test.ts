import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sqlFiles } from "../../../database";
import { buildOperator, bundleLimit } from "../../../operator/lambda/build";

/** Outside the repository, so that no module of it can be found from there. */
const folder = mkdtempSync(join(tmpdir(), "cdc-audit-operator-"));
const first = join(folder, "first");
const second = join(folder, "second");
let bytes: number;

beforeAll(async () => {
  bytes = await buildOperator(first);
  await buildOperator(second);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs code beside the bundle in a process that has nothing but the bundle, and returns what it printed. */
function run(code: string): string {
  return execFileSync(process.execPath, ["--eval", code], {
    cwd: first,
    encoding: "utf8",
    env: { AWS_REGION: "eu-central-1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

describe("The operator's bundle", () => {
  it("holds the function and the SQL of both sides, within its limit", () => {
    expect(readdirSync(first).sort()).toEqual(["destination", "index.js", "index.js.LEGAL.txt", "source"]);
    for (const side of ["source", "destination"] as const) {
      expect(readdirSync(join(first, side))).toEqual(sqlFiles(side).map(({ name }) => name));
    }
    expect(bytes).toBeLessThan(bundleLimit);
  });

  it("is the same, byte for byte, whenever and wherever it is built", () => {
    const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
    for (const file of ["index.js", "index.js.LEGAL.txt"]) {
      expect(digest(join(first, file))).toBe(digest(join(second, file)));
      expect(readFileSync(join(first, file), "utf8")).not.toContain(process.cwd());
    }
  });

  it("loads without any installed module and refuses an unknown request", () => {
    const output = run(`
      const { handler } = require("./index.js");
      handler({ action: "unknown" }, { getRemainingTimeInMillis: () => 60000 })
        .catch((error) => console.log(error.message));`);
    expect(output).toContain(
      'action is "unknown"; allowed are bootstrap, connections, canary, maintain, guard, rotate',
    );
  });

  it.each([
    ["bootstrap", "read the secrets of the roles"],
    ["connections", ""],
    ["canary", "connect to the destination"],
    ["maintain", "connect to the destination"],
    ["guard", ""],
    ["rotate", ""],
  ])(
    "finds all that %s needs, and gives up in its time when nothing answers",
    (action, step) => {
      const database = { host: "127.0.0.1", port: 1, database: "d", adminSecretArn: "a" };
      const requests: Record<string, object> = {
        bootstrap: {
          source: { ...database, captureSecretArn: "c", tables: [] },
          destination: { ...database, writerSecretArn: "w" },
        },
        connections: { replicationInstanceArn: "i", endpointArns: ["e"] },
        canary: {
          sourceId: "s",
          source: database,
          destination: database,
          captureTaskArn: "t",
          kafka: {
            bootstrapBrokersIam: "127.0.0.1:1",
            rawTopic: "r",
            eventsTopic: "e",
            transformerGroup: "t",
            sinkGroup: "s",
          },
          connectorArn: "c",
        },
        maintain: { sourceId: "s", source: database, destination: database },
        guard: { clusterArn: "c", bootstrapBrokersIam: "127.0.0.1:1", captureUsername: "u", rawTopic: "r" },
        rotate: { secretArn: "s", credential: { kind: "writer", destination: database } },
      };
      // No service of AWS is there: each endpoint is a port that nobody listens on.
      const output = run(`
      process.env.AWS_ENDPOINT_URL = "http://127.0.0.1:1";
      process.env.AWS_ACCESS_KEY_ID = process.env.AWS_SECRET_ACCESS_KEY = "none";
      const { handler } = require("./index.js");
      const event = ${JSON.stringify({ action, ...requests[action] })};
      handler(event, { getRemainingTimeInMillis: () => 4000 })
        .then(() => console.log("done"), (error) => console.log("FAILED", error.name, error.message))
        .then(() => process.exit());`);
      expect(output).toMatch(new RegExp(`FAILED StepError ${action} failed at "${step}`));
      expect(output).not.toMatch(/Cannot find module|is not defined|Dynamic require/);
    },
    60_000,
  );
});
