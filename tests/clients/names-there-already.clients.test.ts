import { join } from "node:path";
import { makePgService } from "@dataplan/pg/adaptors/pg";
import { EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import { PrismaPg } from "@prisma/adapter-pg";
import { queryTags, withQueryTags } from "@prisma/sqlcommenter-query-tags";
import { patchDrizzle } from "@query-doctor/sqlcommenter-drizzle";
import { withRequestContext } from "@query-doctor/sqlcommenter-drizzle/http";
import { drizzle } from "drizzle-orm/node-postgres";
import { pgTable, text } from "drizzle-orm/pg-core";
import { grafast } from "grafast";
import { defaultPreset as graphileBuild, makeSchema } from "graphile-build";
import { defaultPreset as graphileBuildPg } from "graphile-build-pg";
import { Pool } from "pg";
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

  // What postgraphile is made of, without its server: that brings a page of 270 MB.
  it("PostGraphile's pgSettings", async () => {
    const service = makePgService({ connectionString: url, schemas: ["public"], poolConfig: { max: 1 } });
    const { schema, resolvedPreset } = await makeSchema({
      extends: [graphileBuild, graphileBuildPg],
      pgServices: [service],
      grafast: {
        context: ({ userId }: { readonly userId?: string }) => ({
          pgSettings: userId ? { "jwt.claims.user_id": userId } : {},
        }),
      },
    });
    const write = async (id: string, userId?: string) => {
      const result = await grafast({
        schema,
        resolvedPreset,
        requestContext: { ...(userId && { userId }) },
        source:
          'mutation Write($id: String!) { createItem(input: { item: { rowId: $id, note: "new" } }) { clientMutationId } }',
        variableValues: { id },
      });
      expect(result).not.toHaveProperty("errors");
    };
    try {
      await write("graphile-1", "27");
      await write("graphile-2");
      await write("graphile-3", "o'brien, 100%");
    } finally {
      await service.release?.();
    }
    expect(await names()).toEqual(["graphile-1 27", "graphile-2 application", "graphile-3 o'brien, 100%"]);
  });

  it("Drizzle's sqlcommenter", async () => {
    const pool = new Pool({ connectionString: url, max: 1 });
    const items = pgTable("items", { id: text().primaryKey(), note: text() });
    const db = patchDrizzle(drizzle(pool));
    const write = async (id: string) => void (await db.insert(items).values({ id, note: "new" }));
    const request = (actor: string, handle: () => Promise<void>) =>
      new Promise<void>((resolve, reject) => {
        withRequestContext({ route: "/orders/*", actor }, () => handle().then(resolve, reject));
      });
    try {
      await request("mia@shop.example", () => write("drizzle-1"));
      await write("drizzle-2");
      await request("o'brien, 100% (*) söhne", () =>
        db.transaction(async (transaction) => {
          await transaction.insert(items).values({ id: "drizzle-3", note: "new" });
        }),
      );
    } finally {
      await pool.end();
    }
    expect(await names()).toEqual([
      "drizzle-1 mia@shop.example",
      "drizzle-2 application",
      "drizzle-3 o'brien, 100% (*) söhne",
    ]);
  });

  it("Prisma's query tags", async () => {
    const conformance = join(__dirname, "../../clients/node/conformance");
    await prepare(readClientFile(join(conformance, "prisma.json")));
    const { PrismaClient: Client } = (await import(join(conformance, "dist/prisma/client.ts"))) as {
      PrismaClient: new (options: object) => PrismaClient;
    };
    const client = new Client({ adapter: new PrismaPg({ connectionString: url, max: 1 }), comments: [queryTags()] });
    try {
      await withQueryTags({ route: "/orders/*", actor: "mia@shop.example" }, () =>
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
