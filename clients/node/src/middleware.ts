import { type ActorLike, runAs } from "./actor";

/**
 * Middleware for Express, and for NestJS on Express (`app.use(…)`): every request acts in the name that `actorOf` gives.
 *
 * @param actorOf Is asked at each statement and not before, so it may stand before what signs the user in. It gives null
 *   while nobody is signed in.
 */
export function expressActor<Request>(actorOf: (request: Request) => ActorLike) {
  return (request: Request, _response: unknown, next: () => void): void => runAs(() => actorOf(request), next);
}

type FastifyHook<Request> = (request: Request, reply: unknown, done: () => void) => void;

/**
 * The same for Fastify, and for NestJS on Fastify (`app.getHttpAdapter().getInstance()`).
 *
 * @param app Every route that it has or gets below it.
 * @returns The same app.
 */
export function fastifyActor<App extends { addHook: unknown }, Request>(
  app: App,
  actorOf: (request: Request) => ActorLike,
): App {
  const hook: FastifyHook<Request> = (request, _reply, done) => runAs(() => actorOf(request), done);
  const { addHook } = app as unknown as { addHook: (name: string, hook: FastifyHook<Request>) => unknown };
  addHook.call(app, "onRequest", hook);
  // A body is read in between, and what reads it goes on in the context of the socket.
  addHook.call(app, "preValidation", hook);
  return app;
}

/** The same for Hono: `app.use(honoActor((context) => context.get("user")))`. */
export function honoActor<Context>(actorOf: (context: Context) => ActorLike) {
  return (context: Context, next: () => Promise<void>): Promise<void> => runAs(() => actorOf(context), next);
}
