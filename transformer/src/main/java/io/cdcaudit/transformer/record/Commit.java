package io.cdcaudit.transformer.record;

/**
 * Where a change stands in the source's history: its identity.
 *
 * @param time when the transaction committed
 * @param transactionId PostgreSQL's 32-bit transaction id; it wraps, so it means something only
 *     beside the time
 * @param sequence the change's place within its transaction, from 1
 * @param streamPosition DMS's position, built from the WAL's
 */
public record Commit(Timestamp time, long transactionId, int sequence, String streamPosition) {

  /**
   * Whether the change was written to the WAL after another one, as far as positions tell: each ends
   * with the place of its own change, while its beginning is that of its transaction.
   */
  public boolean isWrittenAfter(Commit other) {
    String own = ownPlace(streamPosition);
    String others = ownPlace(other.streamPosition);
    return own.length() == others.length() && own.compareTo(others) > 0;
  }

  private static String ownPlace(String streamPosition) {
    return streamPosition.substring(streamPosition.lastIndexOf('.') + 1);
  }
}
