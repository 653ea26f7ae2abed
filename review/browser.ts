import { type Browser, chromium } from "playwright-core";

/** Names an installed Chromium or Chrome; needed where the browser of the npm package does not run. */
const browserVariable = "REVIEW_BROWSER";

/** What the package switches off and a test of a page's safety must not. */
const lax = ["--disable-web-security", "--allow-running-insecure-content", "--disable-site-isolation-trials"];

/** A browser without a window: the one that `npm ci` brought, which runs on Linux x86-64, or the one that is named. */
export async function launchBrowser(): Promise<Browser> {
  const named = process.env[browserVariable];
  if (named) return chromium.launch({ executablePath: named });
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `The browser that npm ci brings runs on Linux x86-64, not on ${process.platform} ${process.arch}. ` +
        `Set ${browserVariable} to the path of an installed Chrome or Chromium.`,
    );
  }
  // It can only be imported as a module.
  const { default: packaged } = await import("@sparticuz/chromium");
  packaged.setGraphicsMode = false;
  const args = packaged.args.filter((argument) => !lax.includes(argument));
  return chromium.launch({ executablePath: await packaged.executablePath(), args });
}
