import type { Json } from "../../review/exact-json";
import { type Difference, differenceOf, type Member } from "../../review/differences/difference";

/** A single value that differs, and where it is. A side that is absent was not there, or is not any more. */
export interface ChangedValue {
  /** Such as `attributes.colour` or `lines[sku a-1].price`. */
  readonly path: string;
  readonly from?: Json;
  readonly to?: Json;
}

/** What changed between two values of a column: of documents, the values in them that did. */
export function changedValues(column: string, from: Json | undefined, to: Json | undefined): readonly ChangedValue[] {
  return listed(column, differenceOf(from, to));
}

function listed(path: string, difference: Difference): readonly ChangedValue[] {
  switch (difference.kind) {
    case "same":
      return [];
    case "added":
      return [{ path, to: difference.to }];
    case "removed":
      return [{ path, from: difference.from }];
    case "replaced":
    case "text":
      return [{ path, from: difference.from, to: difference.to }];
    case "object":
      return difference.members.flatMap((member) => listed(`${path}.${member.label}`, member.difference));
    case "array":
      return difference.members.flatMap((member) => [
        ...listed(`${path}[${member.label}]`, member.difference),
        ...moved(path, member),
      ]);
  }
}

function moved(path: string, { label, moved: places }: Member): readonly ChangedValue[] {
  return places ? [{ path: `place of ${path}[${label}]`, from: places.from, to: places.to }] : [];
}
