package io.cdcaudit.transformer.catalog;

import io.cdcaudit.transformer.record.TableName;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Every table's history, as this process knows it: what the catalog topic says and what signals
 * have said since. Shared by all threads.
 */
public final class Catalogs {

  private final Map<TableName, TableHistory> histories = new ConcurrentHashMap<>();

  /** Tables of which the topic has not yet shown all that this process knows. */
  private final Set<TableName> unpublished = ConcurrentHashMap.newKeySet();

  /** What is known of a table: nothing, if no signal spoke of it. */
  public TableHistory historyOf(TableName table) {
    TableHistory history = histories.get(table);
    return history == null ? TableHistory.empty(table) : history;
  }

  /**
   * Adds a version at once. The table is then {@link #isUnpublished} unless the version says
   * nothing new.
   */
  public void add(TableName table, CatalogVersion version) {
    histories.compute(
        table,
        (name, history) -> {
          TableHistory known = history == null ? TableHistory.empty(table) : history;
          TableHistory extended = known.with(version);
          if (extended.saysTheSameAs(known)) {
            return history;
          }
          unpublished.add(table);
          return extended;
        });
  }

  /**
   * Takes in what the topic says. Another process may have published without having heard of a
   * version that is known here: both are kept, and the table is {@link #isUnpublished} until the
   * topic shows them together.
   */
  public void receive(TableHistory published) {
    histories.compute(
        published.table(),
        (table, known) -> {
          TableHistory merged = known == null ? published : known.with(published);
          if (merged.saysTheSameAs(published)) {
            unpublished.remove(table);
          } else {
            unpublished.add(table);
          }
          return merged;
        });
  }

  /** Forgets a table whose entry someone deleted from the topic. */
  public void forget(TableName table) {
    histories.remove(table);
    unpublished.remove(table);
  }

  public boolean isUnpublished(TableName table) {
    return unpublished.contains(table);
  }

  /** Every table that is {@link #isUnpublished}. */
  public List<TableHistory> unpublished() {
    return unpublished.stream().map(this::historyOf).toList();
  }
}
