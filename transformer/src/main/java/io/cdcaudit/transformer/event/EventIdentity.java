package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.record.ChangeRecord;
import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.TableName;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * Makes the identity of events: a UUIDv5 of what tells a change from all others and is the same
 * when the change comes again. For one thread: it reuses its digest.
 */
public final class EventIdentity {

  /** Never change it: every event would get a different identity. */
  private static final UUID NAMESPACE = UUID.fromString("6f3a2c52-7b0e-5b8e-9c57-0d7f3a1e4b68");

  private static final byte[] NAMESPACE_BYTES =
      ByteBuffer.allocate(16)
          .putLong(NAMESPACE.getMostSignificantBits())
          .putLong(NAMESPACE.getLeastSignificantBits())
          .array();

  private final String sourceId;
  private final MessageDigest sha1;

  public EventIdentity(String sourceId) {
    this.sourceId = sourceId;
    try {
      this.sha1 = MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }

  /** The identity of what a transaction did to a table. */
  public UUID ofChange(Commit commit, TableName table) {
    return uuid(
        sourceId
            + '\n'
            + commit.transactionId()
            + '\n'
            + commit.sequence()
            + '\n'
            + commit.streamPosition()
            + '\n'
            + table.schema()
            + '\n'
            + table.table());
  }

  /**
   * The identity of a row that a full load read. The content of a row with a key tells it from
   * others, and is the same if the record comes twice. Rows without a key may be equal, so their
   * place on the topic tells them apart.
   */
  public UUID ofBaseline(ChangeRecord record, Origin origin) {
    String row = record.keyed() ? record.data().raw().toString() : origin.first();
    TableName table = record.table();
    return uuid(
        String.join(
            "\n",
            sourceId,
            "baseline",
            record.capturedAt().text(),
            table.schema(),
            table.table(),
            row));
  }

  private UUID uuid(String name) {
    sha1.update(NAMESPACE_BYTES);
    ByteBuffer digest = ByteBuffer.wrap(sha1.digest(name.getBytes(StandardCharsets.UTF_8)));
    long version5 = digest.getLong() & ~0xF000L | 0x5000L;
    long variant = digest.getLong() & ~(0b11L << 62) | 0b10L << 62;
    return new UUID(version5, variant);
  }
}
