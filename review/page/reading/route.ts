import type { ActId } from "../../api";

/** What an address of the page names. */
export type Route =
  | { readonly view: "feed" | "undo" | "reads" | "nowhere" }
  | { readonly view: "act"; readonly id: ActId }
  | { readonly view: "record"; readonly table: string; readonly key: string };

export function routeOf({ path, query }: { readonly path: string; readonly query: string }): Route {
  const [first = "", ...rest] = path.split("/").slice(1).map(decoded);
  if (first === "" && rest.length === 0) return { view: "feed" };
  if ((first === "undo" || first === "reads") && rest.length === 0) return { view: first };
  if (first === "act" && rest.length === 3) {
    const [source = "", time = "", transaction = ""] = rest;
    return { view: "act", id: { source, time, transaction: transaction === "-" ? null : transaction } };
  }
  const key = new URLSearchParams(query).get("key");
  if (first === "record" && rest.length === 1 && rest[0] !== "" && key !== null)
    return { view: "record", table: rest[0] as string, key };
  return { view: "nowhere" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
