import { serve, type ServerType } from "@hono/node-server";
import { reviewApp } from "./app";
import { LogDatabase } from "./database";
import type { ReviewSettings } from "./settings";
import { tokenParameter } from "./sign-in";

export interface ReviewServer {
  /** What to open in a browser; on a person's own machine with the token. */
  readonly link: string;
  readonly stop: () => Promise<void>;
}

export type ServerLog = (line: string) => void;

/** Listens, and serves the page. The database may be away then: the page says so and asks again. */
export async function startReviewServer(settings: ReviewSettings, log: ServerLog): Promise<ReviewServer> {
  const database = new LogDatabase(settings.database, settings.statementTimeout);
  const app = reviewApp({ settings, database, log });
  const server = await new Promise<ServerType>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, hostname: settings.host, port: settings.port }, () =>
      resolve(listening),
    );
    listening.once("error", reject);
  });
  const { signIn } = settings;
  return {
    link:
      signIn.kind === "link"
        ? `http://127.0.0.1:${settings.port}/?${tokenParameter}=${signIn.token}`
        : (settings.publicOrigin ?? `http://${settings.host}:${settings.port}`),
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Live pages keep their connections for as long as somebody looks.
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
      await database.close();
    },
  };
}
