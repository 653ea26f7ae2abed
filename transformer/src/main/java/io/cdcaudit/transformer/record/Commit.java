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
public record Commit(Timestamp time, long transactionId, int sequence, String streamPosition) {}
