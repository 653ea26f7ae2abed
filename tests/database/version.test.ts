import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DatabaseSide, sqlFiles, sqlVersion } from "../../database";

/** What each version of the SQL is made of: an operator refuses to replace newer objects, which it tells by the version. */
const recorded: Record<DatabaseSide, { readonly version: number; readonly sha256: string }> = {
  source: { version: 5, sha256: "4541f17f1a8a6b06b9c51a89f2362cf8fd6a3f7605793db7c43793dae274420c" },
  destination: { version: 5, sha256: "6a8954c5513f0c1549efed92aff994892107ce2f37f4351fdeb107f5c6f037fc" },
};

const sha256 = (side: DatabaseSide) =>
  sqlFiles(side)
    .reduce((hash, { name, sql }) => hash.update(`${name}\n${sql}\n`), createHash("sha256"))
    .digest("hex");

describe.each(["source", "destination"] as const)("The SQL of the %s", (side) => {
  it("has another version when it has changed: raise it in its file that ends in -version.sql, and record both here", () => {
    expect({ version: sqlVersion(side), sha256: sha256(side) }).toEqual(recorded[side]);
  });
});
