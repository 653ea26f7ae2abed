import { useState } from "preact/hooks";
import { Reads } from "./reads";

/** Who looked at a record, when asked: to look is to be seen as well. */
export function SeenBy({ table, recordKey }: { readonly table: string; readonly recordKey: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="panel" aria-labelledby="seen-title">
      <h2 id="seen-title">
        <button type="button" class="panel-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Seen by
        </button>
      </h2>
      {isOpen && <Reads table={table} recordKey={recordKey} />}
    </section>
  );
}
