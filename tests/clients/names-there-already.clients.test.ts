import { join } from "node:path";
import { EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import { PrismaPg } from "@prisma/adapter-pg";
import { queryTags, withQueryTags } from "@prisma/sqlcommenter-query-tags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConformanceDatabase, environmentOf } from "../../clients/conformance/database";
import { prepare, readClientFile } from "../../clients/conformance/driver";

let database: ConformanceDatabase;
let url: string;

beforeAll(async () => {
  database = await ConformanceDatabase.start();
  url = environmentOf(database.login).DATABASE_URL as string;
});

afterAll(() => database?.stop());

const names = async () => (await database.changes()).map(({ id, by }) => `${id} ${by?.actor}`);

interface PrismaClient {
  readonly item: { create(query: { data: { id: string; note: string } }): Promise<unknown> };
  $transaction(work: (client: PrismaClient) => Promise<void>): Promise<unknown>;
  $disconnect(): Promise<void>;
}

// Nothing of ours runs in the application: each library says the name in its own way.
describe("The actor trigger knows the name that is said by", () => {
  it("MikroORM's session context", async () => {
    const Item = new EntitySchema<{ id: string; note: string }>({
      name: "Item",
      tableName: "items",
      properties: { id: { type: "text", primary: true }, note: { type: "text" } },
    });
    const orm = await MikroORM.init({ clientUrl: url, entities: [Item], pool: { max: 1 } });
    const write = async (id: string, actor?: string) => {
      const em = orm.em.fork();
      if (actor) em.setSessionContext({ variables: { "capture.actor": actor } });
      em.create(Item, { id, note: "new" });
      await em.flush();
    };
    try {
      await write("mikro-1", "mia");
      await write("mikro-2");
      await write("mikro-3", "o'brien");
    } finally {
      await orm.close();
    }
    expect(await names()).toEqual(["mikro-1 mia", "mikro-2 application", "mikro-3 o'brien"]);
  });

  it("Prisma's query tags", async () => {
    const conformance = join(__dirname, "../../clients/node/conformance");
    await prepare(readClientFile(join(conformance, "prisma.json")));
    const { PrismaClient: Client } = (await import(join(conformance, "dist/prisma/client.ts"))) as {
      PrismaClient: new (options: object) => PrismaClient;
    };
    const client = new Client({ adapter: new PrismaPg({ connectionString: url, max: 1 }), comments: [queryTags()] });
    try {
      await withQueryTags({ route: "/orders", actor: "mia@shop.example" }, () =>
        client.item.create({ data: { id: "prisma-1", note: "new" } }),
      );
      await client.item.create({ data: { id: "prisma-2", note: "new" } });
      await withQueryTags({ actor: "o'brien & söhne" }, () =>
        client.$transaction(async (transaction) => {
          await transaction.item.create({ data: { id: "prisma-3", note: "new" } });
        }),
      );
    } finally {
      await client.$disconnect();
    }
    expect(await names()).toEqual(["prisma-1 mia@shop.example", "prisma-2 application", "prisma-3 o'brien & söhne"]);
  });
});
