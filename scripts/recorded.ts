import { Graph } from "../recorder/graph";
import { type VariantName, recordProgram, recordVariant, recordedVariants } from "../recorder/stacks";

const graphs = new Map<string, Promise<Graph>>();

/** The graph of a stack of this repository or of a variant of one, recorded once for all documents that are made from it. */
export function recorded(stack: string): Promise<Graph> {
  const graph = graphs.get(stack) ?? record(stack).then((recording) => new Graph(recording));
  graphs.set(stack, graph);
  return graph;
}

function record(name: string) {
  return name in recordedVariants ? recordVariant(name as VariantName) : recordProgram(name);
}
