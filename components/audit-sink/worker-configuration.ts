import { createHash } from "node:crypto";
import { sinkClasses } from "../../contract/sink-connector";

/**
 * The workers' properties, of those that MSK Connect lets one set. Both converters are mandatory and only stand in for
 * the connector's own.
 */
export const workerProperties: Readonly<Record<string, string>> = {
  "key.converter": sinkClasses.keyConverter,
  "value.converter": sinkClasses.keyConverter,
  // After a restart at most five seconds of events are written again.
  "offset.flush.interval.ms": "5000",
};

/** The properties as a file, and a digest to name it by: MSK Connect can't change a worker configuration. */
export function workerConfiguration(): { content: string; digest: string } {
  const lines = Object.entries(workerProperties).map(([key, value]) => `${key}=${value}\n`);
  const content = lines.join("");
  return { content, digest: createHash("sha256").update(content).digest("hex").slice(0, 12) };
}
