import { buildPage } from "../../../review/build";
import { launchBrowser } from "./browser";
import { MemoryServer } from "./memory-server";
import { storyOrder, tellShop } from "./shop-story";
(async () => {
  const { folder } = await buildPage("/tmp/page-shots/page");
  const server = await MemoryServer.start(folder);
  tellShop(server.log);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    page.on("console", (m) => console.log("console:", m.text()));
    page.on("pageerror", (e) => console.log("error:", e.message, e.stack));
    const act = server.log.acts({ actor: ["bob@shop.example"] })[0]!;
    const views: [string, string][] = [
      ["feed", "/"],
      ["record", storyOrder],
      ["recordat", `${storyOrder}&at=${encodeURIComponent(server.log.acts({})[6]!.time)}`],
      ["act", `/act/shop/${act.time}/${act.transaction}`],
      ["reads", "/reads"],
      ["filtered", "/?actor=dan@shop.example&op=delete"],
    ];
    const only = process.argv[2]?.split(",");
    for (const scheme of ["light", "dark"] as const)
      for (const width of [1280, 400]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: width === 400 ? 800 : 860 });
        for (const [name, path] of views) {
          if (only && !only.includes(`${name}-${scheme}-${width}`)) continue;
          await page.goto(server.address + path);
          await page.waitForTimeout(500);
          await page.screenshot({ path: `/tmp/page-shots/${name}-${scheme}-${width}.png` });
        }
      }
  } finally {
    await browser.close();
    await server.stop();
  }
})();
