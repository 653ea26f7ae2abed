import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { sqlWithActors } from "../../src";
import { type Framework, versionOf } from "../framework";
import { connected } from "./drizzle";

export const framework: Framework = {
  driver: `${versionOf("drizzle-orm")}, ${versionOf("postgres")}`,
  connect(url, max) {
    const sql = sqlWithActors(postgres(url, { max, onnotice: () => undefined }));
    return connected(drizzle(sql), () => sql.end());
  },
};
