import { join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { withActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

interface Items {
  create(query: { data: { id: string; note: string } }): Promise<unknown>;
  update(query: { where: { id: string }; data: { note: string } }): Promise<unknown>;
  delete(query: { where: { id: string } }): Promise<unknown>;
  count(): Promise<unknown>;
}

/** What is used of the client that generate-prisma.mjs makes. */
interface Client {
  item: Items;
  $executeRawUnsafe(sql: string): Promise<unknown>;
  $transaction(work: (client: Client) => Promise<void>, options?: object): Promise<unknown>;
  $disconnect(): Promise<void>;
}

const session = (client: Client): Session => ({
  insert: (id) => client.item.create({ data: { id, note: "new" } }),
  update: (id) => client.item.update({ where: { id }, data: { note: `${id}, changed` } }),
  delete: (id) => client.item.delete({ where: { id } }),
  run: (sql) => client.$executeRawUnsafe(sql),
  count: () => client.item.count(),
});

const transaction = (client: Client): TransactionSession => ({
  ...session(client),
  savepoint: (work) => client.$transaction((inner) => work(transaction(inner))),
});

const levels = {
  "read committed": "ReadCommitted",
  "repeatable read": "RepeatableRead",
  serializable: "Serializable",
} as const;

export const framework: Framework = {
  driver: `${versionOf("@prisma/client")}, ${versionOf("@prisma/adapter-pg")}`,
  cannot: { readOnly: "Prisma has no read-only transactions" },
  async connect(connectionString, max) {
    const { PrismaClient } = (await import(join(__dirname, "../dist/prisma/client.ts"))) as {
      PrismaClient: new (options: object) => Client;
    };
    const pool = withActors(new pg.Pool({ connectionString, max }));
    const client = new PrismaClient({ adapter: new PrismaPg(pool) });
    return {
      ...session(client),
      transaction: ({ isolation }, work) =>
        client.$transaction((inner) => work(transaction(inner)), {
          maxWait: 60_000,
          timeout: 60_000,
          ...(isolation && { isolationLevel: levels[isolation] }),
        }),
      close: async () => {
        await client.$disconnect();
        await pool.end();
      },
    };
  },
};
