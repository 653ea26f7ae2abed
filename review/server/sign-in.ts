import { createHash, timingSafeEqual } from "node:crypto";
import { AlbJwtVerifier, CognitoJwtVerifier } from "aws-jwt-verify";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { FailureError } from "./failures";
import { type Reader, readerOf } from "./reader";
import type { ReviewSettings, SignIn } from "./settings";

/** Tells who sends a request. */
export interface Gate {
  /** @throws FailureError when nobody is signed in, or not in a group that may read. */
  reader(context: Context): Promise<Reader>;
  /** Answers the request that carries a sign-in, if this one does: with where to go on, without it. */
  enter(context: Context): Response | undefined;
}

type LinkSignIn = Extract<SignIn, { kind: "link" }>;
type LoadBalancerSignIn = Extract<SignIn, { kind: "load balancer" }>;

export function gateOf(settings: ReviewSettings): Gate {
  return settings.signIn.kind === "link"
    ? linkGate(settings.signIn, settings)
    : loadBalancerGate(settings.signIn, settings.maskedColumns);
}

/** The parameter of the printed link that carries its token. It leaves the address with the first answer. */
export const tokenParameter = "token";

function linkGate({ token, reader }: LinkSignIn, settings: ReviewSettings): Gate {
  // Cookies do not tell ports apart, and several of these may run.
  const cookie = `review-${settings.port}`;
  const signedIn: Reader = {
    name: reader,
    signedInBy: "link",
    scope: null,
    masked: settings.maskedColumns,
    mayReveal: true,
  };
  return {
    async reader(context) {
      if (same(getCookie(context, cookie) ?? "", token)) return signedIn;
      throw new FailureError("signed out", "This browser has not followed the link of the running command.", [
        "Open the link that the command printed; it holds the token.",
      ]);
    },
    enter(context) {
      const given = context.req.query(tokenParameter);
      if (given === undefined) return undefined;
      const url = new URL(context.req.url);
      url.searchParams.delete(tokenParameter);
      // Lax, so that an application's link to a record's page arrives signed in. What changes something asks for more.
      if (same(given, token)) {
        setCookie(context, cookie, token, { httpOnly: true, sameSite: "Lax", path: "/" });
      }
      return context.redirect(`${url.pathname}${url.search}`, 303);
    },
  };
}

/** Compares without telling by its time how much was right. */
function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** What verifies a token and returns its claims; both verifiers of aws-jwt-verify do. */
export interface ClaimsVerifier {
  verify(token: string): Promise<Readonly<Record<string, unknown>>>;
}

export interface Verifiers {
  /** Of `x-amzn-oidc-data`. */
  readonly identity: ClaimsVerifier;
  /** Of `x-amzn-oidc-accesstoken`, with Cognito. */
  readonly access?: ClaimsVerifier;
}

function verifiersOf(signIn: LoadBalancerSignIn): Verifiers {
  const { loadBalancerArn, issuer, clientId, cognitoUserPoolId } = signIn;
  return {
    identity: AlbJwtVerifier.create({ albArn: loadBalancerArn, issuer, clientId }) as ClaimsVerifier,
    ...(cognitoUserPoolId === undefined
      ? {}
      : {
          access: CognitoJwtVerifier.create({
            userPoolId: cognitoUserPoolId,
            tokenUse: "access",
            clientId,
          }) as ClaimsVerifier,
        }),
  };
}

/**
 * Believes the load balancer's signed header and nothing else: anything in its security group could send the header, but
 * only the load balancer can sign it.
 */
export function loadBalancerGate(
  signIn: LoadBalancerSignIn,
  maskedColumns: readonly string[],
  { identity, access }: Verifiers = verifiersOf(signIn),
): Gate {
  const { groupsClaim, readerClaim, groups } = signIn;
  return {
    async reader(context) {
      const claims = await verified(identity, context.req.header("x-amzn-oidc-data"));
      const groupsOf = access ? await verified(access, context.req.header("x-amzn-oidc-accesstoken")) : claims;
      if (access && groupsOf.sub !== claims.sub) throw signedOut();
      const name = claims[readerClaim] ?? claims.sub;
      if (typeof name !== "string" || name === "") throw signedOut();
      return readerOf(name, listed(groupsOf[access ? "cognito:groups" : groupsClaim]), groups, maskedColumns);
    },
    enter: () => undefined,
  };
}

async function verified(
  verifier: ClaimsVerifier,
  token: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  if (!token) throw signedOut();
  try {
    return await verifier.verify(token);
  } catch (error) {
    throw signedOut(error);
  }
}

const signedOut = (cause?: unknown) =>
  new FailureError("signed out", "The login has ended or can't be verified.", ["Load the page again to sign in."], {
    cause,
  });

/** A claim of groups as identity providers send it: a list, one name, or names with commas, also in brackets. */
function listed(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.filter((name) => typeof name === "string");
  if (typeof claim !== "string") return [];
  return claim
    .replace(/^\[(.*)\]$/s, "$1")
    .split(",")
    .map((name) => name.trim().replace(/^"(.*)"$/, "$1"))
    .filter(Boolean);
}
