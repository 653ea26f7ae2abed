import type { Operation } from "../../api";
import { meaningOf } from "../reading/words";

const signs: Readonly<Record<Operation, string>> = {
  insert: "+",
  update: "~",
  delete: "−",
  truncate: "×",
  schema: "§",
  load: "↓",
  baseline: "=",
};

/** An operation by its sign, its word and its colour: the colour alone says nothing. */
export function OperationBadge({ operation }: { readonly operation: Operation }) {
  return (
    <span class={`badge is-${operation}`} title={meaningOf[operation]}>
      <span class="badge-sign" aria-hidden="true">
        {signs[operation]}
      </span>
      {operation}
    </span>
  );
}
