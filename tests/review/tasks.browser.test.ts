import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseRoles } from "../../contract/database-roles";
import { freePorts } from "../../local/machine/managed-process";
import { TestServer } from "../../local/servers/test-server";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import { launchBrowser } from "../../review/browser";
import { buildPage } from "../../review/build";
import { ownServer } from "../../review/server/settings";
import { type ReviewServer, startReviewServer } from "../../review/server/start";
import { storeEvents } from "../database/support/audit-events";
import { accident, orderStory, ordersAfterAccident } from "./support/orders-story";

const password = "review-password";
const day = "2026-11-05";

let folder: string;
let postgres: TestServer;
/** The log and the application's table stand in one database, so that an undo can be run where its text was copied. */
let client: Client;
let review: ReviewServer;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "review-tasks-"));
  const [built, port] = await Promise.all([
    buildPage(join(folder, "page")),
    freePorts(1).then(([free]) => free as number),
    TestServer.start().then((started) => (postgres = started)),
    launchBrowser().then((launched) => (browser = launched)),
  ]);
  const database = await postgres.createDatabase();
  client = database;
  await bootstrapDestination(client);
  await client.query(`ALTER ROLE audit_review PASSWORD '${password}'`);
  await storeEvents(client, orderStory().events);
  await client.query(ordersAfterAccident);
  review = await startReviewServer(
    ownServer({
      database: {
        host: "127.0.0.1",
        port: postgres.port,
        database: database.database,
        user: databaseRoles.review,
        password,
        tls: "off",
      },
      port,
      reader: "rita@shop.example",
      token: "a-token",
      pageFolder: built.folder,
    }),
    (line) => complaints.push(line),
  );
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(review.link);
});

afterAll(async () => {
  await browser?.close();
  await review?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

const main = () => page.getByRole("main");
const open = (address: string) => page.goto(new URL(address, review.link).href);
const order = `/record/shop.orders?key=${encodeURIComponent('{"id":42}')}`;
const steps = () => page.getByRole("listitem").filter({ has: page.locator("[data-line]") });

async function searchFor(text: string): Promise<void> {
  await page.getByRole("combobox", { name: "Search the log" }).fill(text);
  await page.keyboard.press("Enter");
}

describe("over a log in PostgreSQL a reviewer finds", () => {
  it("who changed this order's status, and from what", async () => {
    await searchFor(`table:shop.orders column:status op:update after:${day} before:2026-11-06`);
    const lines = page.locator("tr.act");
    await expect.poll(() => lines.count()).toBe(3);
    expect(await lines.allInnerTexts()).toEqual([
      expect.stringMatching(
        /carol@shop\.example[\s\S]*shop\.orders 42[\s\S]*status\s+PAID\s*→\s*became\s*shipped[\s\S]*on its way/,
      ),
      expect.stringMatching(/migration[\s\S]*changed 1 row of shop\.orders/),
      expect.stringMatching(/bob@shop\.example[\s\S]*status\s+new\s*→\s*became\s*paid[\s\S]*payment received/),
    ]);
    // Of an act that did more, the changes that fit the search.
    await lines.nth(1).getByRole("button").click();
    await expect.poll(() => page.locator(".act-opened").innerText()).toMatch(/status\s+paid\s*→\s*became\s*PAID/);
    expect(await page.locator(".act-opened .change").count()).toBe(1);
    await lines.first().getByRole("link", { name: "shop.orders 42" }).click();
    await main().getByRole("heading", { name: "shop.orders 42" }).waitFor();
    const status = main().getByRole("row", { name: /^status/ });
    await expect.poll(() => status.innerText()).toMatch(/shipped\s+carol@shop\.example/);
    expect(complaints).toEqual([]);
  });

  it("everything that one person did between two times", async () => {
    await open("/");
    await searchFor(`actor:dan@shop.example after:${day}T09:45 before:${day}T10:25`);
    const lines = page.locator("tr.act");
    await expect.poll(() => lines.count()).toBe(2);
    expect(await lines.first().innerText()).toMatch(/delivery_note[\s\S]*front[\s\S]*back/);
    expect(await lines.nth(1).innerText()).toMatch(/changed 30 rows of shop\.orders[\s\S]*clean up/);
    await lines.nth(1).getByRole("button").first().click();
    const changes = page.locator(".act-opened .change");
    await expect.poll(() => changes.count()).toBe(accident.last - accident.first + 1);
    expect(await changes.first().innerText()).toMatch(/shop\.orders 100[\s\S]*total\s+100\.5\s*→\s*became\s*0/);
    expect(complaints).toEqual([]);
  });

  it("how to put back what an accidental mass update changed", async () => {
    await open("/");
    await searchFor(`actor:dan@shop.example column:total after:${day} before:2026-11-06`);
    await page.locator("tr.act").getByRole("link", { name: /^Undo/ }).click();
    await page.getByText("Nothing that the log knows stands in its way.").waitFor();
    await page.getByText(/It takes 30 changes back/).waitFor();
    await page.getByRole("button", { name: "Copy the SQL" }).click();
    await page.getByText("Copied the SQL.").waitFor();
    await client.query(await page.evaluate<string>("navigator.clipboard.readText()"));
    const { rows } = await client.query(
      "SELECT bool_and(total = id + 0.5) AS is_back FROM shop.orders WHERE id >= $1",
      [accident.first],
    );
    expect(rows).toEqual([{ is_back: true }]);
    // And where something stands in the way, it says what.
    await open(order);
    await steps().filter({ hasText: "bob@shop.example" }).getByRole("link", { name: /^Undo/ }).click();
    await main()
      .getByText(/In the way/)
      .first()
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it("how this record looked before the migration", async () => {
    await open(order);
    const migration = steps().filter({ hasText: "ALTER TABLE" });
    await migration.waitFor();
    expect(await migration.innerText()).toMatch(/column renamed/);
    await steps()
      .filter({ hasText: "payment received" })
      .or(steps().filter({ hasText: "bob@shop.example" }))
      .first()
      .getByRole("link", { name: /^As it was/ })
      .click();
    const row = (name: RegExp) => main().getByRole("row", { name });
    await expect.poll(() => row(/^status/).innerText()).toMatch(/paid\s+shipped/);
    expect(await row(/^note/).innerText()).toContain("Leave it at the front door");
    expect(await row(/^delivery_note/).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("who has looked at this record", async () => {
    await open(order);
    await page.getByRole("button", { name: "Seen by" }).click();
    const seen = page.locator(".panel").last();
    await expect.poll(() => seen.innerText()).toMatch(/rita@shop\.example\s+opened the record/);
    const { rows } = await client.query(
      "SELECT count(*)::int AS count FROM audit.reads WHERE reader = 'rita@shop.example'",
    );
    expect(rows[0].count).toBeGreaterThan(5);
    await open("/reads");
    await page.getByRole("link", { name: "shop.orders 42" }).first().waitFor();
    expect(complaints).toEqual([]);
  });

  it("and a change made meanwhile, without asking for it", async () => {
    await open("/?table=shop.orders");
    await expect.poll(() => page.locator(".live.is-on").count()).toBe(1);
    const [event] = orderStory().events.slice(-1);
    await storeEvents(client, [
      {
        ...event,
        event_id: randomUUID(),
        committed_at: new Date().toISOString(),
        transaction_id: 9_999,
        before: { status: "shipped" },
        after: { id: 42, status: "returned" },
      } as never,
    ]);
    await page.locator("tr.act").filter({ hasText: "returned" }).waitFor();
    expect(complaints).toEqual([]);
  });
});
