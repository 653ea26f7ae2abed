package io.cdcaudit.transformer.order;

import io.cdcaudit.transformer.json.JsonOutput;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;

/**
 * Where the topic of change records begins in the order of the stream. A topic that is deleted and
 * made again counts its offsets from 0 again, so each one that bore the name has a beginning of its
 * own, after all that the ones before it held. The catalog topic keeps them under {@link #KEY}.
 *
 * @param known oldest first
 */
public record TopicBeginnings(List<Beginning> known) {

  /** No key of a table's entry: those have a dot. */
  public static final String KEY = "stream-order";

  /**
   * @param topicId Kafka's id of the topic
   * @param base the stream order of its offset 0
   */
  public record Beginning(String topicId, long base) {}

  public static final TopicBeginnings NONE = new TopicBeginnings(List.of());

  /**
   * Room for the topic before when the clock stands earlier than that topic's beginning: 115 days
   * at a million records a second.
   */
  private static final long ROOM = 10_000_000_000_000L;

  public TopicBeginnings {
    known = List.copyOf(known);
  }

  /** The stream order of a topic's offset 0; empty if the topic was never seen. */
  public OptionalLong baseOf(String topicId) {
    return known.stream()
        .filter(beginning -> beginning.topicId().equals(topicId))
        .mapToLong(Beginning::base)
        .findFirst();
  }

  /**
   * These and one more topic, which begins at the time of day in microseconds: offsets grow more
   * slowly than that, so it begins after the end of the topic before it.
   */
  public TopicBeginnings with(String topicId, Instant now) {
    long microseconds = ChronoUnit.MICROS.between(Instant.EPOCH, now);
    long last = known.isEmpty() ? Long.MIN_VALUE : known.get(known.size() - 1).base();
    return with(new Beginning(topicId, microseconds > last ? microseconds : last + ROOM));
  }

  /** These, and those of another process that these lack. Of one topic the first counts. */
  public TopicBeginnings with(TopicBeginnings others) {
    TopicBeginnings all = this;
    for (Beginning beginning : others.known) {
      all = all.baseOf(beginning.topicId()).isPresent() ? all : all.with(beginning);
    }
    return all;
  }

  private TopicBeginnings with(Beginning beginning) {
    List<Beginning> all = new ArrayList<>(known);
    all.add(beginning);
    return new TopicBeginnings(all);
  }

  public byte[] write() {
    JsonOutput output = new JsonOutput();
    output.writeAscii("{\"topics\":[");
    String separator = "";
    for (Beginning beginning : known) {
      output.writeAscii(separator).writeAscii("{\"topic_id\":").writeString(beginning.topicId());
      output.writeAscii(",\"base\":").writeNumber(beginning.base()).write('}');
      separator = ",";
    }
    return output.writeAscii("]}").toBytes();
  }

  /**
   * @throws RuntimeException if the value is none of {@link #write}
   */
  public static TopicBeginnings read(JsonNode value) {
    return new TopicBeginnings(
        value.required("topics").values().stream()
            .map(
                node ->
                    new Beginning(
                        node.required("topic_id").stringValue(),
                        node.required("base").longValue()))
            .toList());
  }
}
