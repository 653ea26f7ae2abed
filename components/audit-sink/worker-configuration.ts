import { createHash } from "node:crypto";
import { connectWorkerProperties } from "../../contract/sink-connector";

/** The properties as a file, and a digest to name it by: MSK Connect can't change a worker configuration. */
export function workerConfiguration(): { content: string; digest: string } {
  const lines = Object.entries(connectWorkerProperties).map(([key, value]) => `${key}=${value}\n`);
  const content = lines.join("");
  return { content, digest: createHash("sha256").update(content).digest("hex").slice(0, 12) };
}
