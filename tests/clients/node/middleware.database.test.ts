import "reflect-metadata";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Controller, Injectable, Module, Post, Req, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { Pool } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConformanceDatabase, environmentOf } from "../../../clients/conformance/database";
import { expressActor, fastifyActor, honoActor, withActors } from "../../../clients/node/src";

let database: ConformanceDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await ConformanceDatabase.start();
});

afterAll(() => database.stop());

// Each test begins with a pool whose connections are not made yet.
beforeEach(() => {
  pool = withActors(new Pool({ connectionString: environmentOf(database.login).DATABASE_URL, max: 2 }));
  return () => pool.end();
});

const insert = (id: string) => pool.query("INSERT INTO items (id) VALUES ($1)", [id]);

/** A server for one test, on a free port. */
async function listening(listener: RequestListener): Promise<{ url: string; close(): Promise<unknown> }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/items`, close: () => new Promise((done) => server.close(done)) };
}

/** Has many users, and somebody who is not signed in, insert a row each at once; returns who the log names for each row. */
async function namesOfRows(listener: RequestListener, prefix: string): Promise<Record<string, string | undefined>> {
  const server = await listening(listener);
  try {
    const users = [...Array.from({ length: 30 }, (_, place) => `user-${place}`), ""];
    const statuses = await Promise.all(
      users.map(async (user) => {
        const headers = { "content-type": "application/json", ...(user && { "x-user": user }) };
        const body = JSON.stringify({ id: `${prefix}-${user}`, padding: "x".repeat(20_000) });
        return (await fetch(server.url, { method: "POST", headers, body })).ok;
      }),
    );
    expect(statuses.every(Boolean)).toBe(true);
    const changes = await database.changes();
    expect(changes).toHaveLength(users.length);
    return Object.fromEntries(changes.map(({ id, by }) => [id.replace(`${prefix}-`, ""), by?.actor]));
  } finally {
    await server.close();
  }
}

const expected = Object.fromEntries([
  ...Array.from({ length: 30 }, (_, place) => [`user-${place}`, `user-${place}`]),
  ["", "application"],
]);

interface WithUser {
  headers: IncomingMessage["headers"];
  user?: string;
}
const signIn = (request: WithUser) => (request.user = request.headers["x-user"] as string | undefined);

describe("The middleware", () => {
  it.each(["before", "behind"] as const)(
    "for Express stands %s what reads the body and signs users in",
    async (place) => {
      const app = express();
      const actor = expressActor((request: express.Request & WithUser) => request.user);
      if (place === "before") app.use(actor);
      app.use(express.json());
      app.use((request, _response, next) => (signIn(request), setTimeout(next, 1)));
      if (place === "behind") app.use(actor);
      app.post("/items", async (request, response) => {
        await insert(request.body.id);
        response.end();
      });
      expect(await namesOfRows(app, `express-${place}`)).toEqual(expected);
    },
  );

  it("for Fastify survives the body and knows users that a later hook signs in", async () => {
    const app = fastifyActor(fastify(), (request: WithUser) => request.user);
    app.addHook("preHandler", async (request) => void signIn(request as WithUser));
    app.post("/items", async (request) => {
      await insert((request.body as { id: string }).id);
      return {};
    });
    await app.ready();
    expect(await namesOfRows((request, response) => app.routing(request, response), "fastify")).toEqual(expected);
    await app.close();
  });

  it("for Hono knows users that a later middleware signs in", async () => {
    const app = new Hono<{ Variables: { user: string | undefined } }>();
    app.use(honoActor((context: { get(name: "user"): string | undefined }) => context.get("user")));
    app.use(async (context, next) => {
      context.set("user", context.req.header("x-user"));
      await next();
    });
    app.post("/items", async (context) => {
      await insert((await context.req.json()).id);
      return context.text("");
    });
    expect(await namesOfRows(getRequestListener(app.fetch), "hono")).toEqual(expected);
  });

  it("for Express serves NestJS, whose guards sign users in", async () => {
    class Guard {
      canActivate(context: { switchToHttp(): { getRequest(): WithUser } }): boolean {
        signIn(context.switchToHttp().getRequest());
        return true;
      }
    }
    Injectable()(Guard);
    class Items {
      async create(request: { body: { id: string } }): Promise<void> {
        await insert(request.body.id);
      }
    }
    Controller("items")(Items);
    UseGuards(Guard)(Items);
    Req()(Items.prototype, "create", 0);
    Post()(Items.prototype, "create", Object.getOwnPropertyDescriptor(Items.prototype, "create") as PropertyDescriptor);
    class App {}
    Module({ controllers: [Items] })(App);

    const app = await NestFactory.create(App, { logger: false });
    app.use(expressActor((request: WithUser) => request.user));
    await app.init();
    expect(await namesOfRows(app.getHttpAdapter().getInstance() as RequestListener, "nest")).toEqual(expected);
    await app.close();
  });
});
