import { existsSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, join } from "node:path";

/** Copies new lines of a folder's log files to standard error, each after its part's name. Call the result to stop. */
export function tailLogs(folder: string): () => Promise<void> {
  const positions = new Map<string, number>();
  let busy = Promise.resolve();
  const copy = async () => {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const file = await open(join(folder, name));
      const start = positions.get(name) ?? 0;
      const { size } = await file.stat();
      if (size > start) {
        const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
        // Copy only whole lines; the rest follows next time.
        const end = buffer.lastIndexOf(10, bytesRead) + 1;
        positions.set(name, start + end);
        const lines = buffer.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
        for (const line of lines) process.stderr.write(`${basename(name, ".log")} | ${line}\n`);
      }
      await file.close();
    }
  };
  const timer = setInterval(() => (busy = busy.then(copy)), 250);
  return async () => {
    clearInterval(timer);
    await busy;
    await copy();
  };
}
