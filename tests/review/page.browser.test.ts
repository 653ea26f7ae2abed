import { readFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Failure, limits, routes } from "../../review/api";
import { launchBrowser } from "../../review/browser";
import { type BuiltPage, buildPage } from "../../review/build";
import { actAddress, momentOf } from "../../review/query";
import { Raw } from "./support/memory-log";
import { MemoryServer } from "./support/memory-server";
import { storyOrder, tellShop } from "./support/shop-story";

let folder: string;
let built: BuiltPage;
let server: MemoryServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained of: scripts that fail, and everything that the policy of the page forbids. */
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "review-page-"));
  [built, browser] = await Promise.all([buildPage(join(folder, "page")), launchBrowser()]);
  server = await MemoryServer.start(built.folder);
  tellShop(server.log);
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "Europe/Berlin" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load resource"))
      complaints.push(message.text());
  });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  server.failures.clear();
  server.delays.clear();
  complaints.length = 0;
  // Leaves the view before, so that no question of it is still on its way.
  await page.goto("about:blank");
});

const open = (address: string) => page.goto(server.address + address);
const sees = (text: string | RegExp) => page.getByText(text).first().waitFor();
const main = () => page.getByRole("main");
const line = (name: RegExp) => page.getByRole("row").filter({ has: page.getByRole("button", { name }) });
const minutesAgo = (minutes: number) => momentOf(new Date(Date.now() - minutes * 60_000));
const path = () => decodeURIComponent(page.url().slice(server.address.length));

describe("the feed", () => {
  it("tells each act in a line, and opens it into its changes", async () => {
    await open("/");
    const act = line(/^bob@shop.example deleted 1 row of shop.order_lines, changed 1 row of shop.orders/);
    expect(await act.innerText()).toMatch(/pot broken, customer keeps the tea/);
    await act.getByRole("button").first().click();
    const changes = page.locator(".act-opened");
    await changes.getByText("shipped").waitFor();
    expect(await changes.innerText()).toMatch(
      /status\s+paid\s*→\s*became\s*shipped\s+total\s+51\.90\s*→\s*became\s*13\.00/,
    );
    expect(complaints).toEqual([]);
  });

  it("shows a single change within the line, and the acts of one request together", async () => {
    await open("/");
    expect(await line(/^alice@shop.example changed 1 row of shop.customers/).innerText()).toMatch(
      /shop\.customers 7\s+email\s+noor@mail\.example\s*→\s*became\s*noor\.haddad@mail\.example/,
    );
    const group = line(/^Request nightly-prices, 2 acts/);
    expect(await group.innerText()).toMatch(/2 acts, 3 changes/);
    await group.getByRole("button").click();
    await line(/^price-job changed 2 rows/).waitFor({ state: "detached" });
  });

  it("loads the rows of a large act as they are scrolled", async () => {
    await open("/");
    await line(/^dan@shop.example deleted 120 rows/)
      .getByRole("button")
      .first()
      .click();
    const changes = page.locator(".act-opened .change");
    await changes.first().waitFor();
    expect(await changes.count()).toBe(limits.changes);
    await changes.last().scrollIntoViewIfNeeded();
    await expect.poll(() => changes.count()).toBeGreaterThan(limits.changes);
    await changes.last().scrollIntoViewIfNeeded();
    await expect.poll(() => changes.count()).toBe(120);
  });

  it("loads older acts as it is scrolled, each once", async () => {
    await open("/");
    const times = page.locator("tr.act");
    await times.first().waitFor();
    await page.locator(".more").scrollIntoViewIfNeeded();
    await expect.poll(() => times.count()).toBeGreaterThan(limits.acts);
    const addresses = await page
      .locator("tr.act")
      .evaluateAll((rows) => rows.map((row) => (row as unknown as { dataset: { address: string } }).dataset.address));
    expect(new Set(addresses).size).toBe(addresses.length);
    await sees(/That is all since/);
  });

  it("says its default window, and takes another", async () => {
    await open("/");
    const span = page.getByLabel("Span of time");
    await sees("243 changes");
    expect(await span.locator("option").first().textContent()).toBe("Last 24 hours (default)");
    await span.selectOption("Last hour");
    await sees("120 rows of");
    expect(path()).toMatch(/^\/\?from=20/);
    await expect.poll(() => span.locator("option").first().textContent()).toMatch(/^From .* until now$/);
  });

  it("draws the changes over time, to be brushed to a span and read as a table", async () => {
    await open("/");
    const chart = page.locator(".picture-chart svg");
    await chart.locator("rect").first().waitFor();
    const box = await chart.boundingBox();
    if (!box) throw new Error("The chart is not seen.");
    await page.mouse.move(box.x + box.width * 0.9, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 2, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    await sees(/Not live: the span has an end/);
    await page.getByText("As a table").click();
    const row = page.locator(".picture-table tbody tr").filter({ hasText: "delete 120" });
    await row.getByRole("link").click();
    await sees("120 rows of");
    await page.getByRole("complementary").getByText("shop.order_lines").click();
    expect(path()).toContain("table=shop.order_lines");
  });
});

describe("the search box", () => {
  const box = () => page.getByRole("combobox", { name: "Search the log" });

  it("completes from what exists and makes the address of what was typed", async () => {
    await open("/");
    await box().pressSequentially("act");
    await page.getByRole("option", { name: "actor:" }).waitFor();
    await box().press("Tab");
    await box().pressSequentially("ali");
    await page.getByRole("option", { name: "alice@shop.example" }).waitFor();
    await box().press("ArrowDown");
    await box().press("Enter");
    expect(await box().inputValue()).toBe("actor:alice@shop.example ");
    await box().pressSequentially("column:note -op:insert after:3h");
    await box().press("Enter");
    await page.waitForURL(/actor=alice/);
    expect(path()).toMatch(
      /^\/\?actor=alice@shop\.example&column=note&not-op=insert&from=20|^\/\?actor=alice@shop\.example&not-op=insert&column=note&from=20/,
    );
    await expect.poll(() => page.locator("tr.act").count()).toBe(1);
    await page.getByRole("link", { name: "Take away column note" }).click();
    await expect.poll(() => page.locator("tr.act").count()).toBe(2);
    await page.goBack();
    await expect.poll(() => page.locator("tr.act").count()).toBe(1);
  });

  it("keeps the caret behind what is typed at once after a completion", async () => {
    await open("/");
    await box().pressSequentially("act");
    await page.getByRole("option", { name: "actor:" }).waitFor();
    // In the page, since a key that is sent from here comes too late.
    const typed = await page.evaluate(`(async () => {
      const field = document.activeElement;
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Tab", bubbles: true, cancelable: true }));
      await Promise.resolve();
      document.execCommand("insertText", false, "a");
      await new Promise((resolve) => setTimeout(resolve, 50));
      document.execCommand("insertText", false, "li");
      return field.value;
    })()`);
    expect(typed).toBe("actor:ali");
  });

  it("says what it did not understand, keeps it to be corrected, and looks for the rest", async () => {
    await open("/");
    await box().fill("tabel:shop.orders actor:dan@shop.example");
    await box().press("Enter");
    await sees("tabel:shop.orders: tabel: is no qualifier. Did you mean table:?");
    await expect.poll(() => page.locator("tr.act").count()).toBe(1);
    expect(await box().inputValue()).toBe("tabel:shop.orders actor:dan@shop.example");
    await open("/?op=upsert&actor=dan@shop.example");
    await sees("op is upsert, which is no operation.");
  });
});

describe("a record's page", () => {
  it("tells its life with a difference for each step", async () => {
    await open(storyOrder);
    const steps = page.getByRole("listitem").filter({ has: page.locator("[data-line]") });
    await steps.first().waitFor();
    expect(await steps.count()).toBe(5);
    expect(await steps.nth(1).innerText()).toMatch(/door if nobody answers/);
    expect(await steps.nth(1).locator("del").allInnerTexts()).toEqual(
      expect.arrayContaining(["front", "twice", "8010"]),
    );
    expect(await steps.nth(2).innerText()).toMatch(/schema[\s\S]*column added channel \(text\)[\s\S]*ALTER TABLE/);
    expect(
      await main()
        .getByRole("row", { name: /^status/ })
        .innerText(),
    ).toMatch(/shipped\s+bob@shop\.example/);
    expect(complaints).toEqual([]);
  });

  it("shows what it was at a moment that the slider, the keys or words name", async () => {
    await open(storyOrder);
    await page.getByRole("link", { name: "As it was", exact: true }).click();
    const slider = page.getByRole("slider");
    await slider.waitFor();
    const status = main().getByRole("row", { name: /^status/ });
    await expect.poll(() => status.innerText()).toMatch(/shipped\s+the same/);
    for (let step = 0; step < 3; step += 1) await slider.press("ArrowLeft");
    await expect.poll(() => status.innerText()).toMatch(/paid\s+shipped/);
    await slider.press("Home");
    await expect.poll(() => status.innerText()).toMatch(/new\s+shipped/);
    await page.reload();
    await expect.poll(() => status.innerText()).toMatch(/new\s+shipped/);
    await page.getByLabel("Another moment").fill("30d");
    await page.getByRole("button", { name: "Go" }).click();
    await sees(/the record did not exist, as far as the log knows/);
  });

  it("compares any two moments", async () => {
    await open(storyOrder);
    await page.getByRole("link", { name: "Compare", exact: true }).click();
    await main()
      .getByRole("row", { name: /^total/ })
      .waitFor();
    expect(
      await main()
        .getByRole("row", { name: /^total/ })
        .innerText(),
    ).toMatch(/51\.90\s*→\s*became\s*13\.00/);
    await page.getByRole("combobox", { name: /^To/ }).selectOption({ index: 4 });
    await expect
      .poll(() =>
        main()
          .getByRole("row", { name: /^status/ })
          .innerText(),
      )
      .toMatch(/new\s*→\s*became\s*paid/);
    expect(
      await main()
        .getByRole("row", { name: /^total/ })
        .count(),
    ).toBe(0);
  });

  it("says who has seen it", async () => {
    await open(storyOrder);
    await page.getByRole("button", { name: "Seen by" }).click();
    await expect.poll(() => page.locator(".panel").last().innerText()).toMatch(/you@shop\.example\s+opened the record/);
  });
});

describe("a value", () => {
  const hostile = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
  const long = `${"word ".repeat(20_000)}`;

  it("is text, whole and exact, whatever it holds", async () => {
    const document = Object.fromEntries(
      Array.from({ length: 9_000 }, (_, number) => [`member ${number}`, { id: number, text: "x".repeat(80) }]),
    );
    expect(JSON.stringify(document).length).toBeGreaterThan(1_000_000);
    const act = server.log.add({
      time: minutesAgo(60 * 30),
      actor: hostile,
      changes: [
        {
          operation: "insert",
          table: `shop."${hostile}"`,
          key: { id: 1 },
          after: {
            markup: hostile,
            amount: new Raw("12345678901234567890.10"),
            controls: "bell\u0007 turn\u202eround null\u0000 end",
            empty: "",
            nothing: null,
            word: "null",
            long,
            document,
          },
        },
      ],
    });
    await open(actAddress(act));
    const column = (name: string) =>
      page
        .locator(".column")
        .filter({ has: page.getByText(name, { exact: true }) })
        .locator("dd");
    await column("markup").waitFor();
    expect(await column("markup").innerText()).toBe(hostile);
    expect(await column("amount").innerText()).toBe("12345678901234567890.10");
    expect(await column("controls").innerText()).toBe("bellU+0007 turnU+202Eround nullU+0000 end");
    expect(await column("empty").innerText()).toBe("empty text");
    expect(await column("nothing").locator(".is-null").innerText()).toBe("null");
    expect(await column("word").locator(".is-null").count()).toBe(0);
    await column("long").getByRole("button").click();
    await expect
      .poll(async () => (await column("long").locator(".value").first().textContent())?.includes(long))
      .toBe(true);
    await column("document").getByRole("button").click();
    await column("document").getByRole("button", { name: "As text" }).click();
    const text = await column("document").locator("pre").textContent();
    expect(JSON.parse(text ?? "")).toEqual(document);
    await column("document").getByRole("button", { name: "As a tree" }).click();
    await column("document").getByText("member 99", { exact: true }).waitFor();
    expect(await page.locator("img, .value script").count()).toBe(0);
    expect(complaints).toEqual([]);
    expect(await page.title()).toContain(hostile);
  });

  it("that is unknown, untyped, redacted, hidden or null looks and reads different from each other", async () => {
    const act = server.log.add({
      time: minutesAgo(60 * 31),
      actor: "eve",
      changes: [
        {
          operation: "update",
          table: "shop.customers",
          key: { id: 8 },
          before: { name: null, card: "[redacted]", born: "0044" },
          after: { id: 8, name: "Noor", card: "[redacted]", born: "0045", big: "same" },
          extra: {
            unknown: ["photo"],
            redacted: ["card"],
            untyped: ["born"],
            masked: ["email"],
            changed: ["name", "card", "born", "email", "photo"],
          },
        },
      ],
    });
    const event = server.log.changes.at(-1)?.event ?? "";
    server.hidden.set(event, { email: JSON.stringify("noor@mail.example") });
    await open(actAddress(act));
    const column = (name: string) =>
      page
        .locator(".column")
        .filter({ has: page.getByText(name, { exact: true }) })
        .locator("dd");
    await column("name").waitFor();
    const shown = async (name: string) => (await column(name).innerText()).replace(/\s+/g, " ");
    expect(await shown("name")).toBe("null→ became Noor");
    expect(await shown("card")).toBe("redacted→ became redacted");
    expect(await shown("born")).toBe("0044as text→ became 0045as text");
    expect(await shown("photo")).toBe("unknown→ became unknown");
    expect(await shown("email")).toBe("hidden→ became hidden");
    await page.getByRole("button", { name: /^Reveal email/ }).click();
    expect(await page.getByRole("dialog").getByRole("button", { name: "Reveal" }).isDisabled()).toBe(true);
    await page.getByLabel("Why do you need to see it?").fill("complaint 17");
    await page.getByRole("dialog").getByRole("button", { name: "Reveal" }).click();
    await expect.poll(() => shown("email")).toContain("noor@mail.example");
    expect(server.reads.some(({ action, reason }) => action === "reveal" && reason === "complaint 17")).toBe(true);
  });
});

describe("an act's page", () => {
  it("is reached by keys, tells both times, and leads to its neighbours", async () => {
    await open("/");
    await page.locator("tr.act").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.locator(".act-opened .change").first().waitFor();
    await page.keyboard.press("k");
    await page.keyboard.press("j");
    await page.keyboard.press("o");
    await page.waitForURL(/\/act\/shop\//);
    await page.getByRole("heading", { name: "dan@shop.example" }).waitFor();
    expect(await main().innerText()).toMatch(/ UTC[\s\S]*Europe\/Berlin/);
    await page.keyboard.press("]");
    await page.getByRole("heading", { name: "bob@shop.example" }).waitFor();
    await page.keyboard.press("[");
    await page.getByRole("heading", { name: "dan@shop.example" }).waitFor();
    await page.keyboard.press("y");
    await sees("Copied a link to this view.");
    expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe(page.url());
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Help" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it("leads to its undo: text to copy, with what stands in its way", async () => {
    const [act] = server.log.acts({ actor: ["dan@shop.example"] });
    server.undos.set(act?.transaction ?? "", {
      sql: "BEGIN;\n-- In the way: <b>bob</b> changed it.\nCOMMIT;\n",
      obstacles: ["In the way: <b>bob</b> changed it."],
      changes: 120,
    });
    await open(actAddress(act as never));
    await page.getByRole("link", { name: "Undo this act…" }).click();
    await sees("In the way: <b>bob</b> changed it.");
    await sees(/It takes 120 changes back/);
    await page.getByRole("button", { name: "Copy the SQL" }).click();
    await sees("Copied the SQL.");
    expect(await page.evaluate<string>("navigator.clipboard.readText()")).toContain("BEGIN;\n-- In the way");
  });
});

describe("live acts", () => {
  it("join the list at its top, and wait while the reader is elsewhere", async () => {
    await open("/?table=live.things");
    await sees("Nothing found");
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    await expect.poll(() => page.locator(".live.is-on").count()).toBe(1);
    const tell = (id: number) =>
      server.tell(
        server.log.add({
          time: momentOf(new Date()),
          actor: "zoe",
          changes: [{ operation: "insert", table: "live.things", key: { id }, after: { id } }],
        }),
      );
    tell(1);
    await line(/^zoe added 1 row of live.things/).waitFor();
    await sees("1 new act.");
    await page.keyboard.press("l");
    tell(2);
    await page.getByRole("button", { name: "Show 1 new act" }).click();
    await expect.poll(() => page.locator("tr.act").count()).toBe(2);
    server.log.changes.splice(-2);
  });
});

describe("when something is wrong", () => {
  const failing = (failure: Failure) => server.failures.set(routes.feed, failure);

  it("says that the database is away, and comes back by itself", async () => {
    failing({ error: "database away", message: "The log's database does not answer.", help: ["Is it started?"] });
    await open("/");
    await sees("The log's database can't be reached");
    await sees(/Trying again in/);
    server.failures.clear();
    await page.locator("tr.act").first().waitFor();
  });

  it("says that a question took too long, and what would be faster", async () => {
    failing({ error: "took too long", message: "Stopped after 5 s.", help: ["Name a table."] });
    await open("/?q=door");
    await sees("This took too long, and was stopped");
    await sees("Name a table.");
    server.failures.clear();
    await page.getByRole("link", { name: "Without the text" }).click();
    await page.locator("tr.act").first().waitFor();
    expect(path()).toBe("/");
  });

  it("says that it still looks, and stops when told to", async () => {
    let release = () => {};
    server.delays.set(routes.feed, new Promise((resolve) => (release = resolve)));
    await open("/");
    await page.getByRole("button", { name: "Stop looking" }).click();
    await sees("You stopped this question.");
    server.delays.clear();
    release();
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.locator("tr.act").first().waitFor();
  });

  it("says that nothing fits, and what would", async () => {
    await open("/?actor=dan@shop.example&table=shop.orders");
    await sees("No act fits the filter");
    await page.getByRole("link", { name: "Without “table shop.orders”" }).click();
    await line(/^dan@shop.example/).waitFor();
  });

  it("tells of the log's troubles in its head", async () => {
    const before = server.health;
    server.health = { ...before, deadLetters: 2, problems: ["shop.carts is not watched."] };
    await open("/reads");
    await page.getByText("2 dead letters").click();
    await sees("shop.carts is not watched.");
    server.health = before;
  });
});

describe("the page", () => {
  const views = () => {
    const act = server.log.acts({ actor: ["bob@shop.example"] })[0];
    server.undos.set(act?.transaction ?? "", { sql: "BEGIN;\nCOMMIT;\n", obstacles: ["In the way: x."], changes: 2 });
    return {
      feed: ["/?not-actor=web-shop&from=" + minutesAgo(100), "tr.act"],
      "nothing found": ["/?actor=nobody", ".is-empty"],
      act: [actAddress(act as never), ".change"],
      record: [storyOrder, ".blame-writer"],
      "as it was": [`${storyOrder}&at=${act?.time}`, ".as-of"],
      compare: [`${storyOrder}&from=${minutesAgo(300)}`, ".compare-fields"],
      undo: [`/undo?source=shop&time=${act?.time}&transaction=${act?.transaction}`, ".code"],
      readers: ["/reads", ".plain-table"],
      nowhere: ["/nowhere", "h1"],
    } as const;
  };

  it.each(["light", "dark"] as const)(
    "has nothing that axe objects to and fits, in any view, in %s",
    async (colorScheme) => {
      const axe = await readFile(createRequire(__filename).resolve("axe-core/axe.min.js"), "utf8");
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const [view, [address, ready]] of Object.entries(views())) {
        await open(address);
        await page.locator(ready).first().waitFor();
        if (view === "feed") {
          await line(/^bob@shop.example deleted/)
            .getByRole("button")
            .first()
            .click();
          await page.locator(".act-opened .change").first().waitFor();
        }
        // The debugger's door: the policy of the page lets no other script in.
        const found = await page.evaluate<string[]>(
          `${axe};axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html, failureSummary }) => html.slice(0, 200) + failureSummary).join("; ")))`,
        );
        expect({ view, found }).toEqual({ view, found: [] });
        // A telephone, and a laptop at 200 %.
        for (const width of colorScheme === "light" ? [400, 640] : []) {
          await page.setViewportSize({ width, height: 800 });
          const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
          expect({ view, width, overflow }).toEqual({ view, width, overflow: 0 });
        }
        await page.setViewportSize({ width: 1280, height: 900 });
      }
      expect(complaints).toEqual([]);
    },
  );

  it("shows times in UTC or where the reader is, and keeps the choice", async () => {
    const act = server.log.acts({ actor: ["bob@shop.example"] })[0];
    const time = line(/^bob@shop.example deleted/).getByRole("time");
    await open("/");
    const utc = act?.time.slice(11, 19) ?? "";
    await expect.poll(() => time.innerText()).toBe(utc);
    await page.getByRole("button", { name: "Times in UTC. Change" }).click();
    const hour = String((Number(utc.slice(0, 2)) + 1) % 24).padStart(2, "0");
    await expect.poll(() => time.innerText()).toBe(hour + utc.slice(2));
    await page.reload();
    await expect.poll(() => time.innerText()).toBe(hour + utc.slice(2));
    await page.getByRole("button", { name: /^Times in Europe\/Berlin/ }).click();
  });

  it("offers what is filtered as files", async () => {
    await open("/?actor=dan@shop.example");
    await page.getByText("Export", { exact: true }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: /^CSV/ }).click();
    const url = new URL((await download).url());
    expect(url.pathname).toBe(routes.exported);
    expect(JSON.parse(url.searchParams.get("filter") ?? "")).toEqual({ actor: ["dan@shop.example"] });
  });

  it("weighs less than 60 kB", () => {
    expect(built.compressedBytes).toBeLessThan(60_000);
  });
});
