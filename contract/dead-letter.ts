import deadLetters from "./dead-letters.json";

/**
 * Headers that the transformer puts on a dead letter; all values are UTF-8 text. A replay adds two: `attempts`, how often
 * the record was sent through again, and `replayedOffset`, which stands on a record without key and value and says that
 * the dead letter at this offset of the same partition was sent through again. A replay keeps two, so that the record
 * keeps its place: `firstOrigin`, where it stood when it came for the first time, and `streamOrder`.
 */
export const deadLetterHeaders = deadLetters.headers;

/** Headers that Kafka Connect puts on a record that the sink could not convert or store. */
export const connectDeadLetterHeaders = deadLetters.connectHeaders;

/** Why the transformer refused a record. */
export const deadLetterReasons: readonly string[] = deadLetters.reasons;

/** Why a record makes no event although nothing is wrong with it; `README.md` says which is which. */
export const ignoredKinds: readonly string[] = deadLetters.ignoredKinds;
