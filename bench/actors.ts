import { Command } from "commander";
import type { Client } from "pg";
import { runAs, withActorsOnClient } from "../clients/node/src";
import { TestServer } from "../local/servers/test-server";
import { bootstrapSource } from "../operator/database/bootstrap";

const insert = "INSERT INTO public.items (note) VALUES ('a note of some length, as an application writes it')";
const name = "'alice@shop.example', 'request-7'";

/** What is compared: a writer's transaction of one change. */
const ways = ["nobody is named", "set_context by hand", "announce by hand", "wrapper"] as const;
type Way = (typeof ways)[number];

/**
 * Where a transaction's time is measured. Trips are most of it for a client that waits for each answer, and wake processes up,
 * which takes longer or shorter by chance. In the server alone, all statements of a round are one string.
 */
const places = ["with its trips", "in the server alone"] as const;
type Place = (typeof places)[number];

/** What a way must reach of `set_context by hand`, and where. */
const goals: readonly { readonly way: Way; readonly place: Place; readonly least: number }[] = [
  { way: "announce by hand", place: "in the server alone", least: 1.1 },
  { way: "wrapper", place: "with its trips", least: 0.95 },
];

const sayings: Partial<Record<Way, string>> = {
  "set_context by hand": `SELECT capture.set_context(${name})`,
  "announce by hand": `SELECT capture.announce(${name})`,
};

function statementsOf(way: Way): string[] {
  return ["BEGIN", ...(sayings[way] ? [sayings[way]] : []), insert, "COMMIT"];
}

async function run(client: Client, way: Way, place: Place, transactions: number): Promise<void> {
  if (place === "in the server alone") {
    await client.query(`${statementsOf(way).join(";")};`.repeat(transactions));
    return;
  }
  const work = async () => {
    for (let done = 0; done < transactions; done++)
      for (const statement of statementsOf(way)) await client.query(statement);
  };
  await (way === "wrapper" ? runAs({ actor: "alice@shop.example", requestId: "request-7" }, work) : work());
}

/** Microseconds of a transaction. */
async function measure(client: Client, way: Way, place: Place, transactions: number): Promise<number> {
  // A connection's first transactions read catalogs.
  await run(client, way, place, 10);
  const begun = performance.now();
  await run(client, way, place, transactions);
  return ((performance.now() - begun) * 1000) / transactions;
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

async function main({ rounds, transactions }: { rounds: number; transactions: number }): Promise<void> {
  const server = await TestServer.start({ log_statement: "none", fsync: "on", synchronous_commit: "off" });
  try {
    const admin = await server.createDatabase();
    await admin.query("CREATE TABLE public.items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)");
    await bootstrapSource(admin, { tables: [{ schema: "public", table: "items", identifyActor: true }] });
    for (const place of places) {
      // The wrapper is made of trips, and the actor trigger reads the whole string of a round for a tag at its end.
      const compared = ways.filter((way) => place === "with its trips" || sayings[way]);
      const taken = new Map<Way, number[]>(compared.map((way) => [way, []]));
      for (let round = 0; round < rounds; round++) {
        // In turns and each round in another order, so that a slow moment of the machine falls on all. Each time on a new
        // connection, because a server process that runs beside its client stays slower or faster than another.
        for (let turn = 0; turn < compared.length; turn++) {
          const way = compared[(turn + round) % compared.length] as Way;
          const client = await server.connect({ database: admin.database });
          taken
            .get(way)
            ?.push(await measure(way === "wrapper" ? withActorsOnClient(client) : client, way, place, transactions));
          await client.end();
        }
      }
      report(place, taken);
    }
  } finally {
    await server.stop();
  }
}

function report(place: Place, taken: ReadonlyMap<Way, readonly number[]>): void {
  const base = taken.get("set_context by hand") as readonly number[];
  console.log(`A transaction ${place}`);
  for (const [way, times] of taken) {
    // As rates: twice the time is half the rate.
    const ratio = median(times.map((each, round) => (base[round] as number) / each));
    const goal = goals.find((one) => one.way === way && one.place === place)?.least;
    const verdict =
      goal === undefined ? "" : ratio >= goal ? `, at least ${goal} wanted` : `, BELOW the ${goal} wanted`;
    console.log(`  ${way.padEnd(20)} ${median(times).toFixed(0).padStart(5)} µs, × ${ratio.toFixed(2)}${verdict}`);
    if (goal !== undefined && ratio < goal) process.exitCode = 1;
  }
}

new Command("npm run bench:actors --")
  .description(
    "Compares what the ways to say who acts cost a writer, in turns on one server, as ratios of rates. Exit code 0 if the goals hold.",
  )
  .option("--rounds <number>", "how often each is measured", Number, 300)
  .option("--transactions <number>", "in each round", Number, 50)
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
