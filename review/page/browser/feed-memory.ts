import type { Act, ActId, Filter } from "../../api";
import { idOf } from "../reading/groups";

let remembered: { readonly filter: Filter; readonly acts: readonly Act[] } = { filter: {}, acts: [] };

/** Keeps the list that the reader comes from, so that an act's page knows what stood beside it. */
export function rememberFeed(filter: Filter, acts: readonly Act[]): void {
  remembered = { filter, acts };
}

/** The acts beside one in the list that was last shown, and its filter. */
export function neighboursOf(act: ActId): { readonly newer?: Act; readonly older?: Act; readonly filter: Filter } {
  const { acts, filter } = remembered;
  const place = acts.findIndex((each) => idOf(each) === idOf(act));
  if (place < 0) return { filter: {} };
  const [newer, older] = [acts[place - 1], acts[place + 1]];
  return { filter, ...(newer && { newer }), ...(older && { older }) };
}
