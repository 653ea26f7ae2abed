package io.cdcaudit.transformer.record;

/** The metadata of a record as DMS sent them, unchecked; absent members are null. */
record Metadata(
    String recordType,
    String operation,
    String schemaName,
    String tableName,
    String timestamp,
    String commitTimestamp,
    String transactionId,
    String transactionRecordId,
    String streamPosition,
    String partitionKeyValue) {}
