import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Context } from "hono";

const types: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

interface PageFile {
  readonly content: Buffer<ArrayBuffer>;
  readonly type: string;
}

/** The built page, read once: a request never names a path of the file system. */
export class PageFiles {
  private readonly assets = new Map<string, PageFile>();
  private readonly html: string;

  /** @throws Error when the page is not built. */
  constructor(folder: string) {
    this.html = readFileSync(join(folder, "index.html"), "utf8");
    for (const name of readdirSync(join(folder, "assets"))) {
      const type = types[extname(name)];
      if (type) this.assets.set(name, { content: readFileSync(join(folder, "assets", name)), type });
    }
  }

  page(context: Context): Response | Promise<Response> {
    return context.html(this.html);
  }

  /** An asset, whose name changes with its content, so that a browser may keep it. */
  asset(context: Context, name: string): Response | Promise<Response> {
    const file = this.assets.get(name);
    if (!file) return context.notFound();
    return context.body(file.content, 200, {
      "content-type": file.type,
      "cache-control": "public, max-age=31536000, immutable",
    });
  }
}
