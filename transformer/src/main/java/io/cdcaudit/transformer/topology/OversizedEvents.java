package io.cdcaudit.transformer.topology;

import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Events that a broker found too large although the transformer did not. The failure to send one
 * stops the thread, so that nothing after it is committed. When its record comes again, the record
 * goes to the dead letters.
 */
public final class OversizedEvents {

  private final Set<UUID> ids = ConcurrentHashMap.newKeySet();

  /** Notes an event that a broker refused. */
  public void add(UUID event) {
    ids.add(event);
  }

  /** How many there are, each counted once. */
  public int count() {
    return ids.size();
  }

  boolean contains(UUID event) {
    return !ids.isEmpty() && ids.contains(event);
  }
}
