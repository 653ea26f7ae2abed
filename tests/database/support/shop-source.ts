import type { Client } from "pg";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";
import { takeSignals } from "./signals";

/** A server with a bootstrapped source, and types for the columns of {@link renewOrders}. */
export async function startShopSource(): Promise<{ readonly server: TestServer; readonly client: DatabaseClient }> {
  const server = await TestServer.start();
  const client = await server.createDatabase();
  await client.query(`
    CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
    CREATE DOMAIN work_email AS email;
    CREATE TYPE mood AS ENUM ('calm');
    CREATE SCHEMA shop;
  `);
  await bootstrapSource(client, { tables: [] });
  return { server, client };
}

/** Makes the table `shop.orders` again, watched, and takes the signals of that. */
export async function renewOrders(client: Client): Promise<void> {
  await client.query(`
    SET client_min_messages = warning;
    DROP TABLE IF EXISTS shop.orders, shop.renamed, shop.notes CASCADE;
    CREATE TABLE shop.orders (
      id bigint PRIMARY KEY,
      total numeric(10, 2) NOT NULL DEFAULT 0,
      contact work_email,
      contacts work_email[],
      mood mood,
      code char(3),
      secret text,
      touched timestamptz,
      shout text GENERATED ALWAYS AS (upper(secret)) STORED
    );
    SELECT capture.watch('shop.orders', ignored_columns => '{touched}', redacted_columns => '{secret,shout}');
  `);
  await takeSignals(client);
}
