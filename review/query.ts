/** The filter in its three forms: what travels, the address of the page, and the search box. */
export { actAddress, addressOf, filterInAddress, recordAddress } from "./query/address";
export {
  type Condition,
  conditionsOf,
  draftOf,
  filterOf,
  isEmpty,
  type ListName,
  type SingleName,
  toggled,
  withoutTime,
} from "./query/filter";
export { partOf, type Problem, qualifierNames, readSearch, type Search, searchOf } from "./query/search-box";
export { type Clock, millisecondsOf, momentOf, readTime, type Span, timeExamples } from "./query/times";
export { type Token, tokensOf, written } from "./query/tokens";
export { completed, knownCompletions, type Typed, typedAt } from "./query/completion";
