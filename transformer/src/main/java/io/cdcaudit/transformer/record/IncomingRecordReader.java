package io.cdcaudit.transformer.record;

import io.cdcaudit.transformer.contract.SignalContract;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.json.JsonSyntax;
import java.time.DateTimeException;
import java.util.Arrays;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Reads DMS's JSON in one pass, and leaves each column's value as it is. For one thread: it reuses
 * its buffers.
 */
public final class IncomingRecordReader {

  private final MemberNames rowNames = new MemberNames();
  private final MemberNames metadataNames = new MemberNames();
  private String[] names = new String[64];
  private JsonSlice[] values = new JsonSlice[64];
  private TableName lastTable = new TableName("", "");

  /**
   * @throws RefusedRecordException if the bytes are no record of DMS's, or one that has no identity
   */
  public IncomingRecord read(byte[] value) {
    if (value == null) {
      throw new RefusedRecordException(DeadLetterReason.NOT_JSON, "the record has no value");
    }
    try (JsonParser parser = JsonSyntax.parser(value)) {
      return interpret(readMembers(parser, value));
    } catch (JacksonException invalid) {
      // Jackson's message may quote the row.
      long offset = invalid.getLocation() == null ? -1 : invalid.getLocation().getByteOffset();
      throw new RefusedRecordException(
          DeadLetterReason.NOT_JSON, "the value is no JSON from byte " + offset + " on");
    }
  }

  private record Members(Metadata metadata, RowImage data, RowImage beforeImage) {}

  private Members readMembers(JsonParser parser, byte[] value) {
    JsonToken first = parser.nextToken();
    if (first == null) {
      throw new RefusedRecordException(DeadLetterReason.NOT_JSON, "the value is empty");
    }
    Metadata metadata = null;
    RowImage data = null;
    RowImage beforeImage = null;
    if (first == JsonToken.START_OBJECT) {
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        boolean isObject = parser.nextToken() == JsonToken.START_OBJECT;
        switch (isObject ? name : "") {
          case "metadata" -> metadata = readMetadata(parser);
          case "data" -> data = readRow(parser, value);
          case "before-image" -> beforeImage = readRow(parser, value);
          default -> parser.skipChildren();
        }
      }
    } else {
      parser.skipChildren();
    }
    if (parser.nextToken() != null) {
      throw new RefusedRecordException(
          DeadLetterReason.NOT_JSON, "the value holds more than one JSON value");
    }
    if (metadata == null) {
      throw new RefusedRecordException(
          DeadLetterReason.NOT_A_CHANGE_RECORD,
          "the value is no JSON object with an object \"metadata\"");
    }
    return new Members(metadata, data, beforeImage);
  }

  private Metadata readMetadata(JsonParser parser) {
    String recordType = null;
    String operation = null;
    String schemaName = null;
    String tableName = null;
    String timestamp = null;
    String commitTimestamp = null;
    String transactionId = null;
    String transactionRecordId = null;
    String streamPosition = null;
    String partitionKeyValue = null;
    MemberNames.Name member = metadataNames.next(parser, metadataNames.beginning());
    for (; member != null; member = metadataNames.next(parser, member)) {
      JsonToken token = parser.nextToken();
      if (!token.isScalarValue() || token == JsonToken.VALUE_NULL) {
        parser.skipChildren();
        continue;
      }
      switch (member.text()) {
        case "record-type" -> recordType = parser.getString();
        case "operation" -> operation = parser.getString();
        case "schema-name" -> schemaName = parser.getString();
        case "table-name" -> tableName = parser.getString();
        case "timestamp" -> timestamp = parser.getString();
        case "commit-timestamp" -> commitTimestamp = parser.getString();
        case "transaction-id" -> transactionId = parser.getString();
        case "transaction-record-id" -> transactionRecordId = parser.getString();
        case "stream-position" -> streamPosition = parser.getString();
        case "partition-key-value" -> partitionKeyValue = parser.getString();
        default -> {
          // partition-key-type and the previous transaction: nothing here depends on them.
        }
      }
    }
    return new Metadata(
        recordType,
        operation,
        schemaName,
        tableName,
        timestamp,
        commitTimestamp,
        transactionId,
        transactionRecordId,
        streamPosition,
        partitionKeyValue);
  }

  private RowImage readRow(JsonParser parser, byte[] value) {
    int start = JsonSyntax.tokenStart(parser);
    int count = 0;
    MemberNames.Name member = rowNames.next(parser, rowNames.beginning());
    while (member != null) {
      if (count == names.length) {
        names = Arrays.copyOf(names, count * 2);
        values = Arrays.copyOf(values, count * 2);
      }
      names[count] = member.text();
      parser.nextToken();
      values[count++] = JsonSyntax.takeSlice(parser, value, member.likelyNext());
      member = rowNames.current(parser, member);
    }
    JsonSlice raw = new JsonSlice(value, start, JsonSyntax.tokenEnd(parser));
    return new RowImage(raw, Arrays.copyOf(names, count), Arrays.copyOf(values, count));
  }

  private IncomingRecord interpret(Members members) {
    Metadata metadata = members.metadata();
    String recordType = required("record-type", metadata.recordType());
    if (recordType.equals("control")) {
      return new IncomingRecord.Control();
    }
    if (!recordType.equals("data")) {
      throw new RefusedRecordException(
          DeadLetterReason.NOT_A_CHANGE_RECORD,
          "record-type is \"" + recordType + "\"; known are data and control");
    }
    TableName table =
        table(
            required("schema-name", metadata.schemaName()),
            required("table-name", metadata.tableName()));
    if (isIgnored(table)) {
      return new IncomingRecord.OfIgnoredTable(table);
    }
    Operation operation = Operation.of(required("operation", metadata.operation()));
    if (members.data() == null) {
      throw new RefusedRecordException(
          DeadLetterReason.NOT_A_CHANGE_RECORD, "the record has no object \"data\"");
    }
    return new ChangeRecord(
        operation,
        table,
        timestamp("timestamp", required("timestamp", metadata.timestamp())),
        operation == Operation.LOAD ? null : commit(metadata),
        metadata.partitionKeyValue(),
        members.data(),
        members.beforeImage());
  }

  /**
   * Records of one table often follow each other. If they share one name, its text is hashed only
   * once.
   */
  private TableName table(String schema, String table) {
    if (!(lastTable.table().equals(table) && lastTable.schema().equals(schema))) {
      lastTable = new TableName(schema, table);
    }
    return lastTable;
  }

  private static boolean isIgnored(TableName table) {
    return table.table().startsWith(SignalContract.TASK_TABLE_PREFIX)
        || table.schema().equals(SignalContract.HEARTBEAT_SCHEMA)
        || table.schema().equals(SignalContract.AUDIT_SCHEMA);
  }

  private static Commit commit(Metadata metadata) {
    String time = transactionDetail("commit-timestamp", metadata.commitTimestamp());
    String transactionId = transactionDetail("transaction-id", metadata.transactionId());
    String sequence = transactionDetail("transaction-record-id", metadata.transactionRecordId());
    String position = transactionDetail("stream-position", metadata.streamPosition());
    try {
      return new Commit(
          timestamp("commit-timestamp", time),
          Long.parseLong(transactionId),
          Integer.parseInt(sequence),
          position);
    } catch (NumberFormatException notANumber) {
      throw new RefusedRecordException(
          DeadLetterReason.MISSING_TRANSACTION_DETAILS,
          "transaction-id \"%s\" and transaction-record-id \"%s\" are not both whole numbers"
              .formatted(transactionId, sequence));
    }
  }

  private static String required(String name, String value) {
    if (value == null) {
      throw new RefusedRecordException(DeadLetterReason.MISSING_METADATA, "metadata lack " + name);
    }
    return value;
  }

  private static String transactionDetail(String name, String value) {
    if (value == null) {
      throw new RefusedRecordException(
          DeadLetterReason.MISSING_TRANSACTION_DETAILS,
          "metadata lack "
              + name
              + ", so the change has no identity; does the endpoint include transaction details?");
    }
    return value;
  }

  private static Timestamp timestamp(String name, String value) {
    try {
      return Timestamp.parse(value);
    } catch (DateTimeException invalid) {
      throw new RefusedRecordException(
          DeadLetterReason.INVALID_TIMESTAMP,
          name + " is \"" + value + "\", not an ISO-8601 time with a zone");
    }
  }
}
