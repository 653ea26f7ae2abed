package io.cdcaudit.transformer.typing;

/** How a value met its column's type. */
public enum WriteResult {
  /** Written as JSON of that type. */
  TYPED,
  /** Not of that type, or of a type that nobody knows: written as DMS sent it. */
  UNTYPED,
  /** DMS did not carry the whole value: nothing was written. */
  INCOMPLETE
}
