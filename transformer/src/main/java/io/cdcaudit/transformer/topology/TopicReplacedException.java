package io.cdcaudit.transformer.topology;

/**
 * The topic of change records was deleted and made again while the process ran. A new process finds
 * out where the new one begins in the order of the stream.
 */
public final class TopicReplacedException extends RuntimeException {

  TopicReplacedException(String topic, long last, long next) {
    super(
        "Offset %d of topic \"%s\" came after offset %d, so it is another topic of that name"
            .formatted(next, topic, last));
  }
}
