import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { Graph } from "../../recorder/graph";
import type { RecordingName } from "./record-stacks";
import type { Recording } from "../../recorder/recorder";

/** A recording that the setup of this project made, for a suite of its own to change as it likes. */
export function recording(name: RecordingName): Recording {
  return JSON.parse(readFileSync(join(inject("recordings"), `${name}.json`), "utf8")) as Recording;
}

export function recordedGraph(name: RecordingName): Graph {
  return new Graph(recording(name));
}
