package io.cdcaudit.transformer.typing;

/** Whether a value could be written as its column's type. */
public enum WriteResult {
  /** Written as JSON of that type. */
  TYPED,
  /** Not of that type, or the type is unknown: written as DMS sent it. */
  UNTYPED,
  /** DMS did not carry the whole value: nothing was written. */
  INCOMPLETE
}
