import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const minimumJava = 17;
let found: string | undefined;

/** The Java to run: that of JAVA_HOME, else the one on the PATH. Refuses one that is missing or older than 17. */
export async function java(): Promise<string> {
  if (found) return found;
  const home = process.env["JAVA_HOME"];
  const candidate = home && existsSync(join(home, "bin/java")) ? join(home, "bin/java") : "java";
  const version = await run(candidate, ["-version"]).then(
    ({ stderr }) => stderr,
    () => undefined,
  );
  const major = Number(/version "(\d+)/.exec(version ?? "")?.[1]);
  if (!(major >= minimumJava)) {
    const what = version === undefined ? "was not found" : `is too old (${version.split("\n")[0]})`;
    throw new Error(
      `Java ${minimumJava} or newer is needed; ${candidate} ${what}. Install a JDK ${minimumJava}+ or set JAVA_HOME.`,
    );
  }
  found = candidate;
  return candidate;
}
