/** Headers that the transformer puts on a dead letter; all values are UTF-8 text. */
export const deadLetterHeaders = {
  reason: "audit.reason",
  message: "audit.message",
  topic: "audit.source.topic",
  partition: "audit.source.partition",
  offset: "audit.source.offset",
  /** How often the record was sent through again; set by a replay. */
  attempts: "audit.replays",
  /** On a record without key and value: the dead letter at this offset of the same partition was sent through again. */
  replayedOffset: "audit.replayed.offset",
} as const;

/** Headers that Kafka Connect puts on a record that the sink could not convert or store. */
export const connectDeadLetterHeaders = {
  topic: "__connect.errors.topic",
  partition: "__connect.errors.partition",
  offset: "__connect.errors.offset",
  reason: "__connect.errors.exception.class.name",
  message: "__connect.errors.exception.message",
} as const;

/** Why the transformer refused a record. */
export const deadLetterReasons = [
  "not-json",
  "not-a-change-record",
  "missing-metadata",
  "missing-transaction-details",
  "invalid-timestamp",
  "unknown-operation",
  "invalid-signal",
  "too-large",
  "internal-error",
] as const;
