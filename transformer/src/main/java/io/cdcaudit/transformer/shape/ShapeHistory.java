package io.cdcaudit.transformer.shape;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.TableName;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The shapes of a table over time, oldest first: the content of its catalog entry. Immutable.
 *
 * <p>A record of any age finds the version that was in force when it was written, so a replay reads
 * it as before.
 */
public record ShapeHistory(TableName table, List<ShapeVersion> versions) {

  /**
   * Older versions are forgotten. Records older than the oldest kept version are read with that
   * one.
   */
  public static final int MOST_VERSIONS = 50;

  /** Columns of all versions together, so that an entry stays below a megabyte. */
  static final int MOST_COLUMNS = 8_000;

  public ShapeHistory {
    versions = List.copyOf(versions);
  }

  public static ShapeHistory empty(TableName table) {
    return new ShapeHistory(table, List.of());
  }

  /**
   * The version to read a record with: the newest that is not later than it, or else the first;
   * null if there is none.
   *
   * @param order the record's place in the source's stream
   */
  public ShapeVersion versionFor(ChangeRecord record, long order) {
    for (int index = versions.size() - 1; index >= 0; index--) {
      ShapeVersion version = versions.get(index);
      if (version.isNotLaterThan(record, order) && !version.isDropDuring(record)) {
        return version.shape().isOfNoTable() ? orElseNext(index, order) : version;
      }
    }
    return versions.isEmpty() ? null : versions.get(0);
  }

  /**
   * The version after one that says that there is no table of this name, if the record's place is
   * behind it: no row can have been sent for the first time while there was none, so the record is
   * not one that is sent again. Its clock was set back, or renaming a schema did not wait for its
   * transaction.
   */
  private ShapeVersion orElseNext(int index, long order) {
    ShapeVersion next = index + 1 < versions.size() ? versions.get(index + 1) : null;
    return next != null && next.order() != null && next.order() < order
        ? next
        : versions.get(index);
  }

  /** The version in force just before another comes; null if that is the first. */
  public ShapeVersion before(ShapeVersion next) {
    ShapeVersion previous = null;
    for (ShapeVersion version : versions) {
      if (!version.isNotLaterThan(next) || version.isSinceSameChange(next)) {
        break;
      }
      previous = version;
    }
    return previous;
  }

  /**
   * This history with one more version. A version that repeats the one in force adds its number
   * alone, and one that a full load read after a newer one adds nothing.
   */
  public ShapeHistory with(ShapeVersion version) {
    List<ShapeVersion> all = new ArrayList<>(versions);
    ShapeVersion added = version;
    for (ShapeVersion known : versions) {
      if (known.isSinceSameChange(version)) {
        added = known.or(version);
        all.remove(known);
        break;
      }
    }
    int place = 0;
    while (place < all.size() && all.get(place).isNotLaterThan(added)) {
      place++;
    }
    all.add(place, added);
    return new ShapeHistory(table, newest(withoutRepetitions(withoutOutdated(all))));
  }

  /** The versions of both histories. */
  public ShapeHistory with(ShapeHistory other) {
    ShapeHistory merged = this;
    for (ShapeVersion version : other.versions) {
      merged = merged.with(version);
    }
    return merged;
  }

  /** Whether both say the same of every record. */
  public boolean saysTheSameAs(ShapeHistory other) {
    return table.equals(other.table)
        && versions.size() == other.versions.size()
        && IntStream.range(0, versions.size()).allMatch(index -> saysTheSame(other, index));
  }

  private boolean saysTheSame(ShapeHistory other, int index) {
    ShapeVersion mine = versions.get(index);
    ShapeVersion theirs = other.versions.get(index);
    return mine.isSinceSameChange(theirs)
        && Objects.equals(mine.number(), theirs.number())
        && Objects.equals(mine.order(), theirs.order())
        && mine.shape().equals(theirs.shape());
  }

  private static List<ShapeVersion> withoutOutdated(List<ShapeVersion> all) {
    List<ShapeVersion> current = new ArrayList<>();
    Long newestNumber = null;
    for (ShapeVersion version : all) {
      if (!version.isOutdated(newestNumber)) {
        current.add(version);
        newestNumber = ShapeVersion.last(newestNumber, version.number());
      }
    }
    return current;
  }

  private static List<ShapeVersion> withoutRepetitions(List<ShapeVersion> all) {
    List<ShapeVersion> changes = new ArrayList<>();
    for (ShapeVersion version : all) {
      int last = changes.size() - 1;
      if (last >= 0 && changes.get(last).shape().equals(version.shape())) {
        changes.set(last, changes.get(last).repeatedBy(version.number()));
      } else {
        changes.add(version);
      }
    }
    return changes;
  }

  private static List<ShapeVersion> newest(List<ShapeVersion> all) {
    int first = all.size();
    int columns = 0;
    while (first > 0 && all.size() - first < MOST_VERSIONS) {
      columns += all.get(first - 1).shape().columns().size();
      if (columns > MOST_COLUMNS && first < all.size()) {
        break;
      }
      first--;
    }
    return all.subList(first, all.size());
  }
}
