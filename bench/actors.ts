import { Command } from "commander";
import type { Client } from "pg";
import { runAs, withActorsOnClient } from "../clients/node/src";
import { TestServer } from "../local/servers/test-server";
import { bootstrapSource } from "../operator/database/bootstrap";

const insert = "INSERT INTO public.items (note) VALUES ('a note of some length, as an application writes it')";
const name = "'alice@shop.example', 'request-7'";

/** What is compared: a writer's transaction of one change, each on a connection of its own. */
const ways = ["nobody is named", "set_context by hand", "announce by hand", "wrapper"] as const;
type Way = (typeof ways)[number];

/** What each way must reach of `set_context by hand`. */
const goals: Partial<Record<Way, number>> = { "announce by hand": 1.1, wrapper: 0.95 };

async function transaction(client: Client, way: Way): Promise<void> {
  await client.query("BEGIN");
  if (way === "set_context by hand") await client.query(`SELECT capture.set_context(${name})`);
  if (way === "announce by hand") await client.query(`SELECT capture.announce(${name})`);
  await client.query(insert);
  await client.query("COMMIT");
}

async function rate(client: Client, way: Way, transactions: number): Promise<number> {
  const begun = performance.now();
  const work = async () => {
    for (let done = 0; done < transactions; done++) await transaction(client, way);
  };
  await (way === "wrapper" ? runAs({ actor: "alice@shop.example", requestId: "request-7" }, work) : work());
  return transactions / ((performance.now() - begun) / 1000);
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

async function main({ rounds, transactions }: { rounds: number; transactions: number }): Promise<void> {
  const server = await TestServer.start({ log_statement: "none", fsync: "on", synchronous_commit: "off" });
  try {
    const admin = await server.createDatabase();
    await admin.query("CREATE TABLE public.items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)");
    await bootstrapSource(admin, { tables: [{ schema: "public", table: "items", identifyActor: true }] });
    const clients = new Map<Way, Client>();
    for (const way of ways) {
      const client = await server.connect({ database: admin.database });
      clients.set(way, way === "wrapper" ? withActorsOnClient(client) : client);
    }
    const rates = new Map<Way, number[]>(ways.map((way) => [way, []]));
    for (let round = 0; round <= rounds; round++) {
      // In turns and each round in another order, so that a slow moment of the machine falls on all. The first warms up.
      for (let place = 0; place < ways.length; place++) {
        const way = ways[(place + round) % ways.length] as Way;
        const measured = await rate(clients.get(way) as Client, way, transactions);
        if (round > 0) rates.get(way)?.push(measured);
      }
    }
    const base = rates.get("set_context by hand") as number[];
    for (const way of ways) {
      const measured = rates.get(way) as number[];
      const ratio = median(measured.map((each, round) => each / (base[round] as number)));
      const goal = goals[way];
      const verdict =
        goal === undefined ? "" : ratio >= goal ? `, at least ${goal} wanted` : `, BELOW the ${goal} wanted`;
      console.log(
        `${way.padEnd(20)} ${median(measured).toFixed(0).padStart(6)} transactions/s, × ${ratio.toFixed(2)}${verdict}`,
      );
      if (goal !== undefined && ratio < goal) process.exitCode = 1;
    }
  } finally {
    await server.stop();
  }
}

new Command("npm run bench:actors --")
  .description(
    "Compares what the ways to say who acts cost a writer, in turns on one server. Exit code 0 if the goals hold.",
  )
  .option("--rounds <number>", "how often each is measured", Number, 400)
  .option("--transactions <number>", "in each round", Number, 25)
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
