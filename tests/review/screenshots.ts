import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import type { Page } from "playwright-core";
import { launchBrowser } from "../../review/browser";
import { buildPage } from "../../review/build";
import { actAddress } from "../../review/query";
import { MemoryServer } from "./support/memory-server";
import { storyOrder, tellShop } from "./support/shop-story";

const repositoryFolder = resolve(__dirname, "../..");
const pictures = join(repositoryFolder, "docs/pictures");

/** The moment at which the pictures are taken, so that they change with the page alone. */
const now = new Date("2026-11-30T16:20:00Z");

/** Takes the pictures of README and docs: the page over the sample shop's story, whose log is in memory. */
async function main(folder: string): Promise<void> {
  const built = await mkdtemp(join(tmpdir(), "review-pictures-"));
  const { folder: pageFolder } = await buildPage(join(built, "page"));
  const server = await MemoryServer.start(pageFolder, () => now.getTime());
  tellShop(server.log, now);
  const browser = await launchBrowser();
  await mkdir(folder, { recursive: true });
  try {
    const context = await browser.newContext({ viewport: { width: 1240, height: 780 }, timezoneId: "UTC" });
    await context.clock.setFixedTime(now);
    const page = await context.newPage();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const [name, take] of Object.entries(views(server))) {
        await take(page);
        const path = join(folder, `${name}-${colorScheme}.png`);
        await page.screenshot({ path });
        console.log(relative(repositoryFolder, path));
      }
    }
  } finally {
    await browser.close();
    await server.stop();
    await rm(built, { recursive: true, force: true });
  }
}

/** How each view is reached, and when it is whole. */
function views(server: MemoryServer): Readonly<Record<string, (page: Page) => Promise<void>>> {
  const act = server.log.acts({ actor: ["bob@shop.example"] })[0];
  const open = (page: Page, address: string) => page.goto(server.address + address);
  return {
    feed: async (page) => {
      await open(page, "/");
      await page.locator(".live.is-on").waitFor();
      await page.locator(".top").first().waitFor();
    },
    record: async (page) => {
      await open(page, storyOrder);
      await page.locator(".blame-writer").first().waitFor();
    },
    act: async (page) => {
      await open(page, actAddress(act as never));
      await page.locator(".change").first().waitFor();
    },
  };
}

new Command("screenshots")
  .description("Takes the pictures of the reviewer's page that stand in the README and the documents.")
  .argument("[folder]", "where they go", pictures)
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
