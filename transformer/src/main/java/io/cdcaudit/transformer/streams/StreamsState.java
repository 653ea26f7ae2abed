package io.cdcaudit.transformer.streams;

import org.apache.kafka.streams.KafkaStreams;

/** The state that Streams was last in, and what becomes of a process whose Streams has failed. */
final class StreamsState implements KafkaStreams.StateListener {

  private final Runnable onError;
  private volatile KafkaStreams.State state = KafkaStreams.State.CREATED;

  /**
   * @param onError run once, on a thread of its own, when Streams has failed for good
   */
  StreamsState(Runnable onError) {
    this.onError = onError;
  }

  @Override
  public void onChange(KafkaStreams.State newState, KafkaStreams.State oldState) {
    state = newState;
    if (newState == KafkaStreams.State.ERROR) {
      failed();
    }
  }

  /** Streams has failed for good, whatever state it shows. */
  void failed() {
    // Streams calls this on a thread that closing Streams waits for, perhaps a daemon. The process
    // must neither wait for itself nor end, as if all were well, before the new thread ended it.
    Thread ending = new Thread(onError, "streams-failed");
    ending.setDaemon(false);
    ending.start();
  }

  KafkaStreams.State get() {
    return state;
  }
}
