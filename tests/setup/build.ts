import { build, isBuilt } from "../../local/machine/build";

/** Builds the Java parts before the suites of this project start, which run side by side. */
export default async function setup(): Promise<void> {
  if (!isBuilt()) await build();
}
