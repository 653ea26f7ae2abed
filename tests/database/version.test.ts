import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DatabaseSide, sqlFiles, sqlVersion } from "../../database";

/** What each version of the SQL is made of: an operator refuses to replace newer objects, which it tells by the version. */
const recorded: Record<DatabaseSide, { readonly version: number; readonly sha256: string }> = {
  source: { version: 6, sha256: "3edb997f63af62a8073c72863ddfc7ca5245e4de1e9a6f54682d76849138897b" },
  destination: { version: 8, sha256: "b1f90fc2ed88a2f245c83ba42a093c267e60ff67b4a653a233c9118223f90150" },
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
