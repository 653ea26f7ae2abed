import { databaseRoles } from "../../contract/database-roles";
import { ownServer } from "../../review/server/settings";
import { startReviewServer } from "../../review/server/start";

/** The page's server as `npm run review` runs it, told by its parent, which stops it. */
const { databasePort, database, port, pageFolder, password } = JSON.parse(process.env.BENCH_REVIEW ?? "{}") as {
  readonly databasePort: number;
  readonly database: string;
  readonly port: number;
  readonly pageFolder: string;
  readonly password: string;
};
const token = "bench";

void startReviewServer(
  ownServer({
    database: {
      host: "127.0.0.1",
      port: databasePort,
      database,
      user: databaseRoles.review,
      password,
      tls: "off",
    },
    port,
    reader: "bench",
    token,
    pageFolder,
  }),
  (line) => console.error(line),
).then((server) => {
  process.once("SIGTERM", () => void server.stop().finally(() => process.exit(0)));
  process.send?.({ cookie: `review-${port}=${token}` });
});
