import type { Client } from "pg";
import type { DatabaseAccess } from "../../contract/operator";
import type { OperatorContext } from "../context";

/** Connects in a separate step, and always ends the connection. */
export async function withDatabase<Result>(
  context: OperatorContext,
  side: "source" | "destination",
  access: DatabaseAccess,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await context.step(`connect to the ${side}`, () => context.connect(access));
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
