package io.cdcaudit.actors;

import java.util.Map;
import java.util.function.Supplier;

/**
 * One request or job: who does it, and why. {@link Acting} makes them.
 */
public final class Act {
  private final String requestId;
  private volatile Supplier<String> actor;
  private volatile String context;
  private final ThreadLocal<Boolean> asking = ThreadLocal.withInitial(() -> false);

  Act(Supplier<String> actor, String requestId, String context) {
    this.actor = actor;
    this.requestId = requestId;
    this.context = context;
  }

  /** What the act is called: it joins several transactions. May be null. */
  public String requestId() {
    return requestId;
  }

  /** More facts, as a JSON object. */
  public String context() {
    return context;
  }

  void identify(String name) {
    actor = () -> name;
  }

  /** Replaces the facts of this act, such as {@code Map.of("reason", "refund")}. JSON of at most 16,000 characters. */
  public void setContext(Map<String, ?> facts) {
    context = Json.object(facts);
  }

  /** What to announce: nobody while nobody is known. Null while the actor is asked, which changes nothing. */
  Words words() {
    // Who is signed in may be read from the database: those statements come here as well.
    if (asking.get()) return null;
    asking.set(true);
    try {
      String name = actor.get();
      return name == null || name.isBlank() ? Words.NOBODY : new Words(name, requestId, context);
    } finally {
      asking.remove();
    }
  }

  /** The arguments of {@code capture.announce}. */
  record Words(String actor, String requestId, String context) {
    /** Takes back the name that a transaction was told before. */
    static final Words NOBODY = new Words(null, null, "{}");

    boolean isNobody() {
      return actor == null;
    }
  }
}
