import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { documents, repositoryFolder } from "./documents";

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(text: string): Set<string> {
  const headings = [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm)].map(
    ([, heading = ""]) => heading,
  );
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function links(text: string): string[] {
  return [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
}

describe("the links in the documents", () => {
  it.each(documents())("lead somewhere: $file", ({ file, text }) => {
    const dead = links(text).filter((link) => {
      if (/^https:\/\//.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      if (!existsSync(join(repositoryFolder, target))) return true;
      if (anchor === undefined) return false;
      return !anchors(readFileSync(join(repositoryFolder, target), "utf8")).has(anchor);
    });
    expect(dead).toEqual([]);
  });

  it("name no file of the repository in code that is not there", () => {
    const named = documents().flatMap(({ file, text }) =>
      [
        ...text.matchAll(
          /`((?:tests|docs|contract|database|operator|transformer|connect|components|scripts|examples|local|tools|recorder|faults|bench|findings|policies|config)\/[\w./-]+\.\w+)`/g,
        ),
      ].map(([, path = ""]) => ({ file, path })),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(({ path }) => !existsSync(join(repositoryFolder, path)))).toEqual([]);
  });
});
