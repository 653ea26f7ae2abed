import { describe, expect, it } from "vitest";
import type { ClientFile } from "../../clients/conformance/driver";
import { ownClients, testClient } from "../../clients/conformance/main";
import { PgBouncer } from "../../clients/conformance/pooler";

/** Any number: a failure prints it, so that `npm run actors -- NAME --seed …` shows it again. */
const seed = 22;

/** One of each language; `npm run actors -- all --pgbouncer` tests all. */
const behindPgBouncer = ["node-pg", "python-psycopg", "java-jdbc", "ruby-rails"];
const pgbouncer = PgBouncer.program();

describe("The conformance suite", () => {
  // A language that is not on this machine is skipped, and named as such.
  const { here, away } = ownClients();

  async function problemsOf(client: ClientFile, options: { readonly pgbouncer?: boolean }): Promise<string> {
    const lines: string[] = [];
    const holds = await testClient(client, { interleaved: 500, seed, ...options }, (line) => lines.push(line));
    return holds ? "" : lines.join("\n");
  }

  it.each(here)("holds for $client", async (client) => {
    expect(await problemsOf(client, {})).toBe("");
  });

  // PgBouncer is Debian's package; elsewhere it must be in PATH.
  it.skipIf(pgbouncer === undefined).each(here.filter(({ client }) => behindPgBouncer.includes(client)))(
    "holds for $client behind PgBouncer",
    async (client) => {
      expect(await problemsOf(client, { pgbouncer: true })).toBe("");
    },
  );

  it.skip.each(away)("holds for $client, for which this machine lacks the language", () => {});
});
