import { Hono } from "hono";
import { reviewLivenessPath } from "../../contract/review-environment";
import { pages, postHeader } from "../api";
import type { LogDatabase } from "./database";
import { AbandonedError, FailureError, failureOf } from "./failures";
import { securityHeaders } from "./headers";
import { PageFiles } from "./page-files";
import { addRoutes, type Variables } from "./routes";
import type { ReviewSettings } from "./settings";
import { type Gate, gateOf } from "./sign-in";
import { HealthView } from "./views/health";

export interface AppParts {
  readonly settings: ReviewSettings;
  readonly database: LogDatabase;
  /** Writes a line for the server's own log. It gets no value of the audit log. */
  readonly log: (line: string) => void;
  readonly gate?: Gate;
}

/** The server without its socket: what it answers to a request. */
export function reviewApp({
  settings,
  database,
  log,
  gate = gateOf(settings),
}: AppParts): Hono<{ Variables: Variables }> {
  const app = new Hono<{ Variables: Variables }>();
  const files = new PageFiles(settings.pageFolder);
  const isPublic = settings.signIn.kind === "load balancer";
  app.use(securityHeaders(isPublic));
  app.get(reviewLivenessPath, (context) => context.text("alive"));
  app.use(async (context, next) => {
    checkOrigin(settings, context.req.method, (name) => context.req.header(name));
    return gate.enter(context) ?? next();
  });
  app.get("/assets/:name", (context) => files.asset(context, context.req.param("name")));
  app.use("/api/*", async (context, next) => {
    context.set("reader", await gate.reader(context));
    return next();
  });
  addRoutes(app, { database, settings, health: new HealthView(database) });
  // The page itself holds nothing of the log; behind a load balancer it is asked to sign in before it comes here.
  for (const address of pages) app.get(address, (context) => files.page(context));
  app.notFound((context) => context.json(new FailureError("not found", "There is no such page.").body, 404));
  app.onError((error, context) => {
    if (error instanceof AbandonedError) return context.body(null, 499 as never);
    const failure = failureOf(error);
    if (failure.kind === "broken" || failure.kind === "database away") {
      log(`${context.req.method} ${context.req.path}: ${causeOf(failure)}`);
    }
    return context.json(failure.body, failure.status);
  });
  return app;
}

/** What stands behind a failure: code and place, since a message may quote a value. */
function causeOf({ cause, message }: FailureError): string {
  if (!(cause instanceof Error)) return message;
  const { code, routine } = cause as Error & { code?: string; routine?: string };
  return code === undefined ? (cause.stack ?? cause.message) : [cause.name, code, routine].filter(Boolean).join(" ");
}

/**
 * Refuses what another site's page could send: on loopback any name that leads here by a trick of DNS, and every POST
 * without the page's own header.
 */
function checkOrigin(
  { signIn, port, publicOrigin }: ReviewSettings,
  method: string,
  header: (name: string) => string | undefined,
): void {
  const origins =
    signIn.kind === "link"
      ? [`http://127.0.0.1:${port}`, `http://localhost:${port}`]
      : publicOrigin === undefined
        ? []
        : [publicOrigin];
  if (signIn.kind === "link" && !origins.includes(`http://${header("host") ?? ""}`)) {
    throw new FailureError("not allowed", "This server answers to 127.0.0.1 and localhost alone.");
  }
  if (method === "GET" || method === "HEAD") return;
  const origin = header("origin");
  const isForeign = origin !== undefined && origins.length > 0 && !origins.includes(origin);
  if (isForeign || header(postHeader.name) !== postHeader.value) {
    throw new FailureError("not allowed", "This request does not come from the page.");
  }
}
