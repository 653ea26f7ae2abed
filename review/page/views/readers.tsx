import { useEffect } from "preact/hooks";
import { Reads } from "../parts/reads";

/** Who read this log, and what. */
export function ReadersView() {
  useEffect(() => {
    document.title = "Readers – Audit log";
  }, []);
  return (
    <div class="readers">
      <header class="page-head">
        <h1>Readers</h1>
        <p>
          Every search, view, undo, export and reveal of this log, yours included. Nobody can change or delete these
          lines.
        </p>
      </header>
      <Reads />
    </div>
  );
}
