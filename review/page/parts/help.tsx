import { keys } from "../browser/keyboard";
import { timeExamples } from "../../query";
import { Dialog } from "./dialog";

const examples: readonly (readonly [search: string, meaning: string])[] = [
  ["actor:alice@shop.example after:2h", "what she did in the last two hours"],
  ["table:shop.orders column:status", "every change of an order's status"],
  ["op:delete -actor:cleanup-job on:yesterday", "what people deleted yesterday"],
  ['table:shop.orders key:{"id":42}', "one record; its own page tells more"],
  ['"back door"', "a text in any value, old or new"],
];

/** Keys and qualifiers. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Help" onClose={onClose}>
      <h3>Search</h3>
      <dl class="help-list is-search">
        {examples.map(([search, meaning]) => (
          <div key={search}>
            <dt>
              <code>{search}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">{`Times are ${timeExamples}.`}</p>
      <h3>Keys</h3>
      <dl class="help-list">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <h3>Links for applications</h3>
      <p>
        <code>{'/record/shop.orders?key={"id":42}'}</code> is the page of a record, and <code>/?request=REQUEST</code>{" "}
        what a request did.
      </p>
      <form method="dialog" class="dialog-buttons">
        <button type="submit" class="button is-main">
          Close
        </button>
      </form>
    </Dialog>
  );
}
