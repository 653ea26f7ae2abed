import "reflect-metadata";
import pg from "pg";
import { DataSource, type EntityManager, EntitySchema } from "typeorm";
import { pgWithActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

const Item = new EntitySchema<{ id: string; note: string | null }>({
  name: "Item",
  tableName: "items",
  columns: { id: { type: "text", primary: true }, note: { type: "text", nullable: true } },
});

const session = (manager: EntityManager): Session => ({
  insert: (id) => manager.getRepository(Item).save({ id, note: "new" }),
  update: (id) => manager.getRepository(Item).update({ id }, { note: `${id}, changed` }),
  delete: (id) => manager.getRepository(Item).createQueryBuilder().delete().where({ id }).execute(),
  run: (sql) => manager.query(sql),
  count: () => manager.getRepository(Item).count(),
});

const transaction = (manager: EntityManager): TransactionSession => ({
  ...session(manager),
  savepoint: (work) => manager.transaction((inner) => work(transaction(inner))),
});

const levels = {
  "read committed": "READ COMMITTED",
  "repeatable read": "REPEATABLE READ",
  serializable: "SERIALIZABLE",
} as const;

export const framework: Framework = {
  driver: `${versionOf("typeorm")}, ${versionOf("pg")}`,
  cannot: { readOnly: "TypeORM has no read-only transactions" },
  async connect(url, max) {
    const source = new DataSource({
      type: "postgres",
      url,
      driver: pgWithActors(pg),
      entities: [Item],
      poolSize: max,
    });
    await source.initialize();
    return {
      ...session(source.manager),
      transaction: ({ isolation }, work) =>
        isolation
          ? source.transaction(levels[isolation], (inner) => work(transaction(inner)))
          : source.transaction((inner) => work(transaction(inner))),
      close: () => source.destroy(),
    };
  },
};
