package io.cdcaudit.actors;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;

/**
 * Who acts in the running thread. A middleware opens the scope of a request; jobs and scripts open one by
 * {@code try (var scope = Acting.as("job:nightly")) { … }}.
 */
public final class Acting {
  private static final ThreadLocal<Act> CURRENT = new ThreadLocal<>();

  private Acting() {}

  /** A scope; closing it restores the act that was before. */
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Opens an act of this actor: a user name or a job's name, at most 600 characters. Null: nobody is known, and changes from
   * here on bear no name, also in a transaction that bore one before.
   */
  public static Scope as(String actor) {
    return as(actor, null);
  }

  /** Opens an act with a request's identifier, at most 1,000 characters; null for none. */
  public static Scope as(String actor, String requestId) {
    return as(actor, requestId, Map.of());
  }

  /**
   * Opens an act with more facts.
   *
   * @param context texts, numbers, booleans, nulls, maps and lists of them; JSON of at most 16,000 characters.
   * @throws IllegalArgumentException for a value that is none of these.
   */
  public static Scope as(String actor, String requestId, Map<String, ?> context) {
    return enter(new Act(() -> actor, requestId, Json.object(context)));
  }

  /**
   * Opens an act whose actor may become known later: {@code actor} is asked before each statement, in the thread that runs
   * it. {@link #carry} asks it once.
   */
  public static Scope asKnownBy(Supplier<String> actor, String requestId) {
    return enter(new Act(actor, requestId, "{}"));
  }

  /**
   * Names the actor of the current act, for changes from here on: to be called where a user is signed in.
   *
   * @throws IllegalStateException outside every act.
   */
  public static void identify(String actor) {
    current()
        .orElseThrow(() -> new IllegalStateException(
            "Acting.identify(\"" + actor + "\") was called outside every act. Add the filter of the Spring Boot starter, or open "
                + "one by `try (var scope = Acting.as(…))`."))
        .identify(actor);
  }

  /** The act that the running code belongs to. */
  public static Optional<Act> current() {
    return Optional.ofNullable(CURRENT.get());
  }

  /** Work for another thread, which bears there the name of now: for executors of your own. */
  public static Runnable carry(Runnable work) {
    Act act = frozen();
    return () -> {
      try (Scope scope = enter(act)) {
        work.run();
      }
    };
  }

  /** As {@link #carry(Runnable)}, with a result. */
  public static <T> Callable<T> carry(Callable<T> work) {
    Act act = frozen();
    return () -> {
      try (Scope scope = enter(act)) {
        return work.call();
      }
    };
  }

  /** What to announce; null where the code belongs to no act, which takes nobody's name back. */
  static Act.Words words() {
    Act act = CURRENT.get();
    return act == null ? null : act.words();
  }

  /** What is known now. A request that has ended may no longer be asked: its objects may serve another user by then. */
  private static Act frozen() {
    Act act = CURRENT.get();
    Act.Words words = words();
    return words == null ? null : new Act(words::actor, act.requestId(), act.context());
  }

  private static Scope enter(Act act) {
    Act outer = CURRENT.get();
    set(act);
    return () -> set(outer);
  }

  private static void set(Act act) {
    if (act == null) CURRENT.remove();
    else CURRENT.set(act);
  }
}
