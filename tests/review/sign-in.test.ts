import { generateKeyPairSync, sign } from "node:crypto";
import { AlbJwtVerifier } from "aws-jwt-verify";
import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import type { FailureError } from "../../review/server/failures";
import { type Gate, loadBalancerGate } from "../../review/server/sign-in";

const loadBalancerArn =
  "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/audit/0123456789abcdef";
const issuer = "https://login.example.com";
const clientId = "the-page";
const kid = "00000000-0000-4000-8000-000000000001";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

let gate: Gate;

beforeAll(() => {
  const identity = AlbJwtVerifier.create({ albArn: loadBalancerArn, issuer, clientId });
  identity.cacheJwks({
    keys: [{ ...(publicKey.export({ format: "jwk" }) as { kty: "EC" }), kid, alg: "ES256", use: "sig" }],
  });
  const groups = { auditors: { tables: ["*"], reveal: true }, support: { tables: ["shop.*"] } };
  const signIn = {
    kind: "load balancer",
    loadBalancerArn,
    issuer,
    clientId,
    groupsClaim: "groups",
    readerClaim: "email",
    groups,
  } as const;
  gate = loadBalancerGate(signIn, ["shop.customers.email"], { identity: identity as never });
});

/** A header as the load balancer signs it: padded base64url, with what it vouches for in the first part. */
function signed(claims: object = {}, head: object = {}, key = privateKey): string {
  const part = (value: object) =>
    Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  const exp = Math.floor(Date.now() / 1000) + 60;
  const header = {
    typ: "JWT",
    kid,
    alg: "ES256",
    iss: issuer,
    client: clientId,
    signer: loadBalancerArn,
    exp,
    ...head,
  };
  const text = `${part(header)}.${part({ sub: "42", email: "dave@example.com", groups: ["support"], iss: issuer, exp, ...claims })}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`;
}

async function reader(token: string | undefined) {
  const app = new Hono();
  app.get("/", async (context) => context.json(await gate.reader(context)));
  app.onError((error, context) => context.json({ refused: (error as FailureError).kind }));
  return (await app.request("/", { headers: token === undefined ? {} : { "x-amzn-oidc-data": token } })).json();
}

describe("Behind a load balancer", () => {
  it("the signed header says who reads, and groups what they may see", async () => {
    expect(await reader(signed())).toEqual({
      name: "dave@example.com",
      signedInBy: "load balancer",
      scope: ["shop.*"],
      masked: ["shop.customers.email"],
      mayReveal: false,
    });
    expect(await reader(signed({ groups: "[support, auditors]" }))).toMatchObject({ scope: null, mayReveal: true });
  });

  it.each([
    ["no header", () => undefined],
    ["one that nobody signed", () => signed().replace(/[^.]*$/, "")],
    ["another key's signature", () => signed({}, {}, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)],
    ["another load balancer's", () => signed({}, { signer: loadBalancerArn.replace("audit", "other") })],
    ["another application's", () => signed({}, { client: "other" })],
    ["another issuer's", () => signed({ iss: "https://evil.example" }, { iss: "https://evil.example" })],
    ["one that has ended", () => signed({ exp: 1 }, { exp: 1 })],
  ])("%s opens nothing", async (_, token) => {
    expect(await reader(token())).toEqual({ refused: "signed out" });
  });

  it("a reader of no known group sees nothing", async () => {
    expect(await reader(signed({ groups: ["constructor"] }))).toEqual({ refused: "not allowed" });
    expect(await reader(signed({ groups: undefined }))).toEqual({ refused: "not allowed" });
  });
});
