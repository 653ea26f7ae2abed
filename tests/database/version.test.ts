import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DatabaseSide, sqlFiles, sqlVersion } from "../../database";

/** What each version of the SQL is made of: an operator refuses to replace newer objects, which it tells by the version. */
const recorded: Record<DatabaseSide, { readonly version: number; readonly sha256: string }> = {
  source: { version: 4, sha256: "4df9d9c80ae3a1e9d99038bb138c528d4d45847080ed82661873b9d9175a3730" },
  destination: { version: 4, sha256: "7f80ba0c90d61d248b5635dd89eeb281bd1017e48413cb9613cebc35d1f6326d" },
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
