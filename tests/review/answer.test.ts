import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { repositoryFolder } from "../../local/machine/folders";
import { nodeOptions } from "../../review/server/node-options";
import { answer } from "../../review/server/answer";
import { securityHeaders } from "../../review/server/headers";

const app = new Hono();
app.use(securityHeaders(false));
app.get("/:size", (context) => answer(context, { text: "é".repeat(Number(context.req.param("size"))) }));

const asked = (size: number, encodings?: string) =>
  app.request(`/${size}`, encodings === undefined ? {} : { headers: { "accept-encoding": encodings } });

describe("An answer", () => {
  it.each([2_000, 300_000])("of %i characters is compressed for who takes gzip, and is whole", async (size) => {
    const response = await asked(size, "gzip, deflate, br");
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const decompressed = new Response(response.body?.pipeThrough(new DecompressionStream("gzip")));
    expect(await decompressed.json()).toEqual({ text: "é".repeat(size) });
  });

  it.each([
    [10, "gzip"],
    [2_000, undefined],
    [2_000, "br"],
  ])("of %i characters stays as it is for who takes %s", async (size, encodings) => {
    const response = await asked(size, encodings);
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.json()).toEqual({ text: "é".repeat(size) });
  });

  it("has the headers of every answer, and tells caches by what it differs", async () => {
    const { headers } = await asked(2_000, "gzip");
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("vary")).toBe("accept-encoding");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("The server's Node", () => {
  it("has the same options from npm run review and in the image", () => {
    const read = (...path: string[]) => readFileSync(join(repositoryFolder, ...path), "utf8");
    expect(read("package.json")).toContain(`exec node ${nodeOptions.join(" ")} --import tsx review/command.ts`);
    expect(read("review", "Dockerfile")).toContain(
      JSON.stringify(["node", ...nodeOptions, "server.js"]).replaceAll(",", ", "),
    );
  });
});
