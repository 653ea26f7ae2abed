import type { SecureContext } from "node:tls";
import { Client } from "pg";
import type { DatabaseAccess } from "../../contract/operator";
import { postgresPort } from "../../contract/ports";
import { pinSession, systemSearchPath } from "../../contract/session-settings";
import { OperatorError } from "../errors";
import type { Credentials } from "../context";

/** Milliseconds until a server that does not answer counts as out of reach. */
const connectTimeout = 10_000;

export interface ConnectionLimits {
  /** Milliseconds since 1970. The server gives up a statement then. */
  readonly deadline: number;
  /** Ends the connection when aborted. */
  readonly signal: AbortSignal;
}

/**
 * Connects over TLS, with the server's certificate and name verified.
 *
 * @throws OperatorError that says what is in the way; it never holds the password.
 */
export async function connectToDatabase(
  access: Omit<DatabaseAccess, "adminSecretArn">,
  credentials: Credentials,
  trusted: SecureContext,
  limits: ConnectionLimits,
): Promise<Client> {
  const { host, port = postgresPort, database } = access;
  const client = new Client({
    host,
    port,
    database,
    user: credentials.username,
    password: credentials.password,
    ssl: { secureContext: trusted, rejectUnauthorized: true },
    connectionTimeoutMillis: connectTimeout,
    statement_timeout: Math.max(1, limits.deadline - Date.now()),
    application_name: "cdc-audit-operator",
  });
  return openUntil(client, limits.signal).catch((error: NodeJS.ErrnoException) => {
    throw connectionError(error, `${host}:${port}/${database}`, credentials.username);
  });
}

/**
 * Connects a client, and ends it when the signal is aborted. Its session spells values as the operator reads them, whatever
 * the database or the role are set to.
 */
export async function openUntil(client: Client, signal: AbortSignal): Promise<Client> {
  // A server that goes away is the next failing query, not an uncaught event.
  client.on("error", () => undefined);
  const end = () => void client.end().catch(() => undefined);
  signal.addEventListener("abort", end, { once: true });
  client.once("end", () => signal.removeEventListener("abort", end));
  await client.connect();
  await client.query(pinSession(systemSearchPath));
  return client;
}

function connectionError(error: NodeJS.ErrnoException, where: string, user: string): OperatorError {
  const refuse = (message: string, fix: string) => new OperatorError(message, fix, { cause: error });
  switch (error.code) {
    case "28P01":
    case "28000":
      return refuse(
        `${where} refused user ${user} or its password.`,
        "Put the password that the server has into the administrator's secret; a rotation may be half done.",
      );
    case "3D000":
      return refuse(`${where}: ${error.message}.`, "Name an existing database.");
    case "ENOTFOUND":
      return refuse(`The name of ${where} is not known.`, "Correct host, or let the VPC resolve DNS names.");
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return refuse(
        `The certificate of ${where} is for another name (${error.message}).`,
        "Give the cluster's own endpoint as host, no alias and no address.",
      );
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_HAS_EXPIRED":
      return refuse(
        `The certificate of ${where} is not signed by an authority of Amazon RDS (${error.code}).`,
        "Use a server of Amazon RDS or Aurora with a current certificate authority (describe-certificates lists them).",
      );
    default:
      return refuse(
        `${where} cannot be reached: ${error.message}.`,
        "Let the operator's security group reach the database's port, and see that the server runs with TLS.",
      );
  }
}
