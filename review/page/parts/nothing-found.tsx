import type { Filter, Window } from "../../api";
import { conditionsOf, draftOf, filterOf, isEmpty, momentOf, withoutTime } from "../../query";
import { Link } from "../browser/location";
import { feedAddress } from "./filter-chips";
import { Time } from "./time";

const day = 86_400_000;

const since = (filter: Filter, days: number) =>
  filterOf({ ...draftOf(withoutTime(filter)), from: momentOf(new Date(Date.now() - days * day)) });

/** A filter that finds nothing: what was looked for, and what would look for more. */
export function NothingFound({ filter, window }: { readonly filter: Filter; readonly window: Window }) {
  const conditions = conditionsOf(filter).filter(({ name }) => name !== "from" && name !== "to");
  return (
    <section class="notice is-empty" role="status">
      <h2>Nothing found</h2>
      <p>
        {conditions.length === 0 ? "Nothing was changed" : "No act fits the filter"} between <Time at={window.from} />{" "}
        and <Time at={window.to} />.
      </p>
      <ul class="suggestions">
        <li>
          <Link to={feedAddress(since(filter, 7))}>Look at the last 7 days</Link>
        </li>
        <li>
          <Link to={feedAddress(since(filter, 365))}>Look at the last year</Link>
        </li>
        {conditions.map(({ name, value, isExcluded, without }) => (
          <li key={`${isExcluded} ${name} ${value}`}>
            <Link to={feedAddress(without)}>{`Without ${isExcluded ? "“not " : "“"}${name} ${value}”`}</Link>
          </li>
        ))}
        {!isEmpty(filter) && (
          <li>
            <Link to="/">Everything of the default span</Link>
          </li>
        )}
      </ul>
    </section>
  );
}

/** What makes a question faster: a shorter span, and no search in the values. */
export function Faster({ filter }: { readonly filter: Filter }) {
  return (
    <p class="notice-buttons">
      <Link class="button" to={feedAddress(since(filter, 1 / 24))}>
        Only the last hour
      </Link>
      <Link class="button" to={feedAddress(since(filter, 1))}>
        Only the last 24 hours
      </Link>
      {filter.text !== undefined && (
        <Link class="button" to={feedAddress(filterOf({ ...draftOf(filter), text: "" }))}>
          Without the text
        </Link>
      )}
    </p>
  );
}
