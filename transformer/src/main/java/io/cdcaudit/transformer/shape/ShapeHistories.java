package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.record.TableName;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The shape history of every table, as this process knows it: from the catalog topic, and from the
 * signals since. Shared by all threads.
 */
public final class ShapeHistories {

  private final Map<TableName, ShapeHistory> histories = new ConcurrentHashMap<>();

  /** Tables whose entry on the topic lacks something that this process knows. */
  private final Set<TableName> unpublished = ConcurrentHashMap.newKeySet();

  /** What is known about a table; empty before its first signal. */
  public ShapeHistory historyOf(TableName table) {
    ShapeHistory history = histories.get(table);
    return history == null ? ShapeHistory.empty(table) : history;
  }

  /** Whether a signal has described a table. */
  public boolean isDescribed(TableName table) {
    return histories.containsKey(table);
  }

  /**
   * Adds a version at once. The table is then {@link #isUnpublished} unless the version says
   * nothing new.
   */
  public void add(TableName table, ShapeVersion version) {
    histories.compute(
        table,
        (name, history) -> {
          ShapeHistory known = history == null ? ShapeHistory.empty(table) : history;
          ShapeHistory extended = known.with(version);
          if (extended.saysTheSameAs(known)) {
            return history;
          }
          unpublished.add(table);
          return extended;
        });
  }

  /**
   * Adds what the topic says. Another process may have published without knowing a version that is
   * known here. Then both are kept, and the table is {@link #isUnpublished} until the topic shows
   * them together.
   */
  public void receive(ShapeHistory published) {
    histories.compute(
        published.table(),
        (table, known) -> {
          ShapeHistory merged = known == null ? published : known.with(published);
          if (merged.saysTheSameAs(published)) {
            unpublished.remove(table);
          } else {
            unpublished.add(table);
          }
          return merged;
        });
  }

  /** Forgets a table after its entry was deleted from the topic. */
  public void forget(TableName table) {
    histories.remove(table);
    unpublished.remove(table);
  }

  public boolean isUnpublished(TableName table) {
    return unpublished.contains(table);
  }

  /** Every table that is {@link #isUnpublished}. */
  public List<ShapeHistory> unpublished() {
    return unpublished.stream().map(this::historyOf).toList();
  }
}
