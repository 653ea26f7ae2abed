import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DatabaseSide, sqlFiles, sqlVersion } from "../../database";

/** What each version of the SQL is made of: an operator refuses to replace newer objects, which it tells by the version. */
const recorded: Record<DatabaseSide, { readonly version: number; readonly sha256: string }> = {
  source: { version: 5, sha256: "5916a63cc25da3851d3d2a4dc44e1ebef528f6fd9bd5e8f7c3fb81e714e1c55e" },
  destination: { version: 5, sha256: "784042f14213cc8158fa4c9bd22e7eae1e8d253882ed654254a629c07d7be3d5" },
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
