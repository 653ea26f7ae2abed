package io.cdcaudit.transformer.streams;

import org.apache.kafka.streams.KafkaStreams;

/** The last state of Streams, and what happens to the process once Streams has failed for good. */
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

  /** Streams has failed for good, even if its state does not show it. */
  void failed() {
    // Closing Streams waits for the calling thread, which may be a daemon. So the process ends on
    // another thread that is no daemon: otherwise it could wait for itself, or end early with a
    // code of success.
    Thread ending = new Thread(onError, "streams-failed");
    ending.setDaemon(false);
    ending.start();
  }

  KafkaStreams.State get() {
    return state;
  }
}
