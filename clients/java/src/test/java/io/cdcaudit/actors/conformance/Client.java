package io.cdcaudit.actors.conformance;

import java.util.Map;

/** A framework, as the conformance suite asks for it. {@code within} is what a transaction gave, or null for a bare statement. */
interface Client extends AutoCloseable {
  String LOCK = "LOCK TABLE public.items IN SHARE ROW EXCLUSIVE MODE";

  String driver();

  Map<String, String> cannot();

  /** Begins with connections that are not made yet. */
  void open(int pool) throws Exception;

  /** Does steps in a transaction; an exception of theirs rolls it back and comes out. */
  void transaction(boolean readOnly, String isolation, Steps steps) throws Exception;

  void savepoint(Object within, Steps steps) throws Exception;

  void insert(Object within, String id) throws Exception;

  void update(Object within, String id) throws Exception;

  void delete(Object within, String id) throws Exception;

  void sql(Object within, String text) throws Exception;

  void read(Object within) throws Exception;

  /** Runs work in a worker's thread that was there before, the way that the readme says, and waits for its end. */
  void job(Steps work) throws Exception;

  @Override
  void close() throws Exception;

  /** Some steps; they get what they are within. */
  @FunctionalInterface
  interface Steps {
    void run(Object within) throws Exception;
  }

  /** Ends a block that is to be rolled back. */
  final class Undone extends RuntimeException {
    private static final long serialVersionUID = 1;

    Undone(Throwable cause) {
      super(cause);
    }
  }
}
