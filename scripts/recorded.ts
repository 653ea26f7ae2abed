import { Graph } from "../recorder/graph";
import { recordProgram } from "../recorder/stacks";

const graphs = new Map<string, Promise<Graph>>();

/** The graph of a stack of this repository, recorded once for all documents that are made from it. */
export function recorded(stack: string): Promise<Graph> {
  const graph = graphs.get(stack) ?? recordProgram(stack).then((recording) => new Graph(recording));
  graphs.set(stack, graph);
  return graph;
}
