import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DatabaseSide, sqlFiles, sqlVersion } from "../../database";

/** What each version of the SQL is made of: an operator refuses to replace newer objects, which it tells by the version. */
const recorded: Record<DatabaseSide, { readonly version: number; readonly sha256: string }> = {
  source: { version: 5, sha256: "9d1a4529005b75a4b761b5b8efd7576a955747165ed298a7c238c334f2993bff" },
  destination: { version: 5, sha256: "ec6938f97d29fcadc20aa2792b981950874bbc99cbec0fca3f4efcb815d9f151" },
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
