import { type Registration } from "./engine";
import { type Graph, compare, shortType } from "./graph";

/** Types that every part has and no picture needs; they are counted in one line. */
const plumbing =
  /^(iam\.|random\.|kms\.|vpc\.|ec2\.(Default)?SecurityGroup|s3\.Bucket.+|.+Policy$|.+(SecretVersion|EventTarget|Association)$)/;

/**
 * The graph as a Mermaid flow chart: one box per component with what it makes, and an arrow from each component to those
 * that need it first. An arrow that others already imply is left out.
 */
export function mermaidPicture(graph: Graph): string {
  const owners = new Map<string, Registration>();
  for (const resource of graph.resources) owners.set(resource.urn, graph.componentOf(resource));
  const boxes = [...new Set(owners.values())].sort((a, b) => compare(a.name, b.name));
  const ids = new Map(boxes.map((box, index) => [box.urn, `component${index}`]));

  const lines = ["flowchart LR"];
  const draw = (box: Registration, indent: string) => {
    const inner = boxes.filter((other) => other.parent === box.urn && other !== box);
    const contents = summary(graph, box);
    const title = inner.length === 0 ? box.name : "shared";
    const drawn = `${ids.get(box.urn)}["${[`<b>${title}</b>`, ...contents].join("<br/>")}"]`;
    if (inner.length === 0) return void lines.push(indent + drawn);
    lines.push(`${indent}subgraph ${ids.get(box.urn)}-group ["${box.name}"]`);
    if (contents.length > 0) lines.push(`${indent}  ${drawn}`);
    for (const child of inner) draw(child, `${indent}  `);
    lines.push(`${indent}end`);
  };
  for (const box of boxes.filter((each) => each.parent === graph.stack.urn)) draw(box, "  ");
  if (summary(graph, graph.stack).length > 0) {
    lines.push(`  ${ids.get(graph.stack.urn)}["${["<b>stack</b>", ...summary(graph, graph.stack)].join("<br/>")}"]`);
  }

  const arrows = new Set<string>();
  for (const resource of graph.resources) {
    const to = ids.get(owners.get(resource.urn)?.urn ?? "");
    for (const dependency of resource.dependencies) {
      const from = ids.get(owners.get(dependency)?.urn ?? "");
      if (from && to && from !== to) arrows.add(`${from} --> ${to}`);
    }
  }
  lines.push(...withoutImplied([...arrows].sort(compare)).map((arrow) => `  ${arrow}`));
  return `${lines.join("\n")}\n`;
}

/** `2 × rds.ClusterInstance`, sorted by type, and the number of the rest; components inside are drawn, not counted. */
function summary(graph: Graph, box: Registration): string[] {
  const made = graph.children(box.urn).filter((each) => each.custom || each.remote);
  const counts = new Map<string, number>();
  for (const { type } of made) {
    const name = shortType(type).replace(/^aws\./, "");
    if (!plumbing.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const lines = [...counts]
    .sort(([a], [b]) => compare(a, b))
    .map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
  const rest = made.length - [...counts.values()].reduce((sum, count) => sum + count, 0);
  return rest === 0 ? lines : [...lines, `<i>and ${rest} more</i>`];
}

/** Drops each arrow whose ends the others connect as well: what can be reached stays the same. */
function withoutImplied(arrows: readonly string[]): string[] {
  const kept = new Set(arrows);
  for (const arrow of arrows) {
    kept.delete(arrow);
    const [from, to] = arrow.split(" --> ");
    if (!reaches(kept, from ?? "", to ?? "")) kept.add(arrow);
  }
  return arrows.filter((arrow) => kept.has(arrow));
}

function reaches(arrows: ReadonlySet<string>, from: string, to: string): boolean {
  const seen = new Set([from]);
  const queue = [from];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const arrow of arrows) {
      const [start, end] = arrow.split(" --> ");
      if (start !== node || end === undefined || seen.has(end)) continue;
      if (end === to) return true;
      seen.add(end);
      queue.push(end);
    }
  }
  return false;
}
