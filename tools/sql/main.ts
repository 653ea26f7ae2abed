import { existsSync, readFileSync } from "node:fs";
import { Client, type Connection, DatabaseError, type QueryArrayResult } from "pg";
import { runFile } from "../../local/machine/folders";
import { errorText, resultText } from "./print";

/**
 * `npm run sql -- "…"`: for those without psql, statements against the database of the running local pipeline, printed as psql
 * prints them. Every value is the server's own text: no digit and no microsecond is lost.
 */
async function main(): Promise<void> {
  const statements = process.argv.slice(2).join(" ");
  if (!statements) throw new Error('Give the SQL as one argument: npm run sql -- "SELECT now()"');
  if (!existsSync(runFile))
    throw new Error("The local pipeline does not run. Start it in another terminal: npm run local");
  const { database } = JSON.parse(readFileSync(runFile, "utf8")) as { database: string };
  const client = new Client({ connectionString: database });
  client.on("notice", ({ severity, message = "", detail, hint }) =>
    console.error(errorText({ severity, message, detail, hint }, statements)),
  );
  const tags: string[] = [];
  // node-postgres keeps the first word of a tag alone.
  const { connection } = client as unknown as { connection: Connection };
  connection.on("commandComplete", ({ text }: { text: string }) => tags.push(text));
  await client.connect();
  // Its reader has ended, such as head.
  process.stdout.on("error", () => process.exit(0));
  try {
    const query = { text: statements, rowMode: "array", types: { getTypeParser: () => (text: string) => text } };
    const results = [(await client.query(query)) as unknown as QueryArrayResult<(string | null)[]>].flat();
    for (const [index, { fields, rows }] of results.entries()) {
      process.stdout.write(`${resultText({ tag: tags[index] ?? "", fields, rows }, width())}\n`);
    }
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    console.error(errorText(error, statements));
    process.exitCode = 1;
  } finally {
    await client.end();
  }
}

/** Columns of the terminal; none elsewhere. */
function width(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
