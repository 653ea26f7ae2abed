import type { Registration } from "./engine";
import { type Graph, shortType } from "./graph";

/** The graph as an indented tree, one resource a line, with what protects it. */
export function printTree(graph: Graph): string {
  const { stack, resources } = graph;
  const created = resources.filter((resource) => resource.custom && !resource.type.startsWith("pulumi:"));
  const lines = [`${stack.name}: ${created.length} resources, and what remote components make of theirs`];
  const print = (resource: Registration, indent: string) => {
    const children = graph.children(resource.urn);
    children.forEach((child, index) => {
      const last = index === children.length - 1;
      lines.push(`${indent}${last ? "└─ " : "├─ "}${describe(child)}`);
      print(child, indent + (last ? "   " : "│  "));
    });
  };
  print(stack, "");
  return lines.join("\n");
}

function describe(resource: Registration): string {
  const marks = [
    resource.remote && "made by a plugin",
    resource.protect && "protected",
    resource.retainOnDelete && "kept on destroy",
  ].filter((mark): mark is string => typeof mark === "string");
  return `${resource.name}  ${shortType(resource.type)}${marks.length > 0 ? `  [${marks.join(", ")}]` : ""}`;
}
