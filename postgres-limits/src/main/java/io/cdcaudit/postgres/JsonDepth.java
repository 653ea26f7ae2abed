package io.cdcaudit.postgres;

/** How deep a JSON value may be nested. */
public final class JsonDepth {

  /**
   * The deepest value that the transformer writes as JSON. It keeps a deeper one as text, so that
   * no reader of the log overflows its stack.
   */
  public static final int DEEPEST_WRITTEN = 400;

  /**
   * The deepest event that the sink reads. It is deliberately far deeper than what the transformer
   * writes: PostgreSQL's {@code max_stack_depth} decides about the event of another writer.
   */
  public static final int DEEPEST_READ = 10_000;

  private JsonDepth() {}
}
