import type { MiddlewareHandler } from "hono";

/** Nothing but this server's own files, nothing inline, no framing, and no markup from text: the log holds what attackers wrote. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The headers of every answer. */
export function securityHeaders(isPublic: boolean): MiddlewareHandler {
  const headers: Record<string, string> = {
    "content-security-policy": contentSecurityPolicy,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    // What the log says stays on no disk on the way.
    "cache-control": "no-store",
    ...(isPublic ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
  return (context, next) => {
    // Before the answer is made, which has them from the first: to set them on it afterwards would turn it into a stream.
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
    return next();
  };
}
