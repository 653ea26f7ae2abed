import { userInfo } from "node:os";
import { databaseRoles } from "../../contract/database-roles";
import { buildPage } from "../../review/build";
import { ownServer } from "../../review/server/settings";
import { type ReviewServer, startReviewServer } from "../../review/server/start";
import { freePorts } from "../machine/managed-process";

export interface LocalReview {
  /** The database that holds the log. */
  readonly destination: { readonly host: string; readonly port: number; readonly database: string };
  /** Password of the page's role. */
  readonly password: string;
  readonly log: (line: string) => void;
}

/** Serves the reviewer's page over the local log, for this machine and this run alone. */
export async function startLocalReview({ destination, password, log }: LocalReview): Promise<ReviewServer> {
  const [{ folder }, ports] = await Promise.all([buildPage(), freePorts(1)]);
  const { host, port, database } = destination;
  const user = databaseRoles.review;
  return startReviewServer(
    ownServer({
      database: { host, port, database, user, password, tls: "off" },
      port: ports[0] as number,
      reader: userInfo().username,
      pageFolder: folder,
    }),
    log,
  );
}
