import type { Client } from "pg";
import type { DatabaseClient, TestServer } from "../../../local/servers/test-server";

export const administrator = { user: "administrator", password: "administrator-Passw0rd" } as const;

/**
 * Makes the roles of Aurora in a server that has none of the pipeline's yet. `administrator` stands in for a member of
 * `rds_superuser`: it may create roles, databases and (through `rds_replication`) grant replication, and is a member of
 * the role `application`, which owns the tables of the schema `shop`. It is no superuser.
 */
export async function createAuroraRoles(superuser: DatabaseClient): Promise<void> {
  await superuser.query(`
    CREATE ROLE rds_superuser;
    CREATE ROLE rds_replication;
    CREATE ROLE application LOGIN PASSWORD 'application';
    CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD '${administrator.password}';
    GRANT rds_superuser, application TO administrator;
    GRANT rds_replication TO administrator WITH ADMIN OPTION;
    ALTER DATABASE ${superuser.database} OWNER TO administrator;
    ALTER SCHEMA shop OWNER TO application;
    ALTER TABLE shop.orders OWNER TO application`);
}

/**
 * A connection as that administrator. One thing only Aurora has: event triggers for a role that is no superuser. So
 * `administrator` is made a superuser while that one file runs.
 */
export async function connectAdministrator(server: TestServer, superuser: DatabaseClient): Promise<Client> {
  const client = await server.connect({ database: superuser.database, ...administrator });
  const query = client.query.bind(client) as (text: unknown, values?: unknown) => Promise<unknown>;
  const asOnAurora = async (text: unknown, values?: unknown) => {
    if (!String(text).includes("CREATE EVENT TRIGGER")) return query(text, values);
    await superuser.query("ALTER ROLE administrator SUPERUSER");
    try {
      return await query(text, values);
    } finally {
      await superuser.query("ALTER ROLE administrator NOSUPERUSER");
    }
  };
  return Object.assign(client, { query: asOnAurora });
}
