import { existsSync, readFileSync } from "node:fs";
import { runFile } from "../local/machine/folders";
import { withClient } from "../local/servers/database-client";

/** `npm run sql -- "…"`: for those without psql, statements against the database of the running local pipeline. */
async function main(): Promise<void> {
  const statements = process.argv.slice(2).join(" ");
  if (!statements) throw new Error('Give the SQL as one argument: npm run sql -- "SELECT now()"');
  if (!existsSync(runFile))
    throw new Error("The local pipeline does not run. Start it in another terminal: npm run local");
  const { database } = JSON.parse(readFileSync(runFile, "utf8")) as { database: string };
  await withClient({ connectionString: database }, async (client) => {
    const results = [await client.query(statements)].flat();
    for (const result of results) {
      if (result.fields?.length > 0) console.table(result.rows.map((row) => mapValues(row as Record<string, unknown>)));
      else console.log(result.rowCount === null ? result.command : `${result.command} ${result.rowCount}`);
    }
  });
}

function mapValues(row: Record<string, unknown>): Record<string, unknown> {
  const text = (value: unknown) =>
    value instanceof Date
      ? value.toISOString()
      : typeof value === "object" && value !== null
        ? JSON.stringify(value)
        : value;
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value)]));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
