import pg from "pg";
import { DataTypes, Sequelize, type Transaction } from "sequelize";
import { pgWithActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

function sessions(database: Sequelize) {
  const Item = database.define(
    "Item",
    { id: { type: DataTypes.TEXT, primaryKey: true }, note: { type: DataTypes.TEXT } },
    { tableName: "items", timestamps: false },
  );
  const session = (transaction?: Transaction): Session => ({
    insert: (id) => Item.create({ id, note: "new" }, { transaction }),
    update: (id) => Item.update({ note: `${id}, changed` }, { where: { id }, transaction }),
    delete: (id) => Item.destroy({ where: { id }, transaction }),
    run: (sql) => database.query(sql, { transaction }),
    count: () => Item.count({ transaction }),
  });
  const within = (transaction: Transaction): TransactionSession => ({
    ...session(transaction),
    savepoint: (work) => database.transaction({ transaction }, (inner) => work(within(inner))),
  });
  return { session, within };
}

const levels = {
  "read committed": "READ COMMITTED",
  "repeatable read": "REPEATABLE READ",
  serializable: "SERIALIZABLE",
} as const;

export const framework: Framework = {
  driver: `${versionOf("sequelize")}, ${versionOf("pg")}`,
  cannot: { readOnly: "Sequelize 6 sends nothing to PostgreSQL for readOnly" },
  connect(url, max) {
    const database = new Sequelize(url, {
      dialect: "postgres",
      dialectModule: pgWithActors(pg),
      logging: false,
      pool: { max, min: 0, acquire: 60_000 },
    });
    const { session, within } = sessions(database);
    return {
      ...session(),
      transaction: ({ isolation }, work) =>
        database.transaction({ ...(isolation && { isolationLevel: levels[isolation] as never }) }, (inner) =>
          work(within(inner)),
        ),
      close: () => database.close(),
    };
  },
};
