package io.cdcaudit.transformer.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.contract.DeadLetterContract;
import io.cdcaudit.transformer.topology.TransformerDriver;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Runs every case of {@code contract/samples} through the whole topology. */
class SamplesTest {

  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-22T11:00:00.000001Z"), ZoneOffset.UTC);

  static List<Sample> samples() {
    return Sample.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("samples")
  void eachRecordBecomesWhatTheSampleSays(Sample sample) {
    try (TransformerDriver driver = driver(sample)) {
      assertSame(run(driver, sample), expected(sample));
      sample
          .content()
          .optional("catalog")
          .ifPresent(
              entries ->
                  assertThat(canonical(driver.catalog()))
                      .containsExactlyElementsOf(
                          entries.values().stream().map(Json::canonical).toList()));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("samples")
  void aReplayWritesEventsOfTheSameIdentity(Sample sample) {
    try (TransformerDriver driver = driver(sample)) {
      run(driver, sample);
      List<String> first = identities(sample);
      sample.records().forEach(driver::send);
      assertThat(driver.events())
          .extracting(event -> identity(Json.read(event.value())))
          .containsAll(first);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("samples")
  void aReplayAfterARestartWritesWhatAReplayBeforeItWrote(Sample sample) {
    try (TransformerDriver driver = driver(sample);
        TransformerDriver restarted = driver(sample)) {
      run(driver, sample);
      driver.catalog().forEach(restarted::receiveCatalog);
      assertSame(run(restarted, sample), run(driver, sample));
    }
  }

  private static void assertSame(List<String> actual, List<String> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int record = 0; record < expected.size(); record++) {
      assertThat(actual.get(record)).as("record %d", record).isEqualTo(expected.get(record));
    }
  }

  private static TransformerDriver driver(Sample sample) {
    return new TransformerDriver(sample.lobMaxSizeKilobytes(), sample.messageMaxBytes(), CLOCK);
  }

  private static List<String> expected(Sample sample) {
    JsonNode content = sample.content();
    String[] outcomes = new String[sample.records().size()];
    content
        .required("dead_letters")
        .values()
        .forEach(letter -> outcomes[index(letter)] = deadLetter(letter));
    content
        .required("ignored")
        .values()
        .forEach(ignored -> outcomes[index(ignored)] = ignored(ignored));
    var events = content.required("events").values().iterator();
    for (int record = 0; record < outcomes.length; record++) {
      outcomes[record] =
          outcomes[record] == null ? Json.canonical(events.next()) : outcomes[record];
    }
    assertThat(events).isExhausted();
    return List.of(outcomes);
  }

  private static int index(JsonNode outcome) {
    return outcome.required("record").intValue();
  }

  private static String deadLetter(JsonNode letter) {
    return "dead letter: " + letter.required("reason").stringValue();
  }

  private static String ignored(JsonNode ignored) {
    return "ignored: " + ignored.required("kind").stringValue();
  }

  /** The outcome of each record, in the words of {@link #expected}. */
  private static List<String> run(TransformerDriver driver, Sample sample) {
    List<String> outcomes = new ArrayList<>();
    for (int index = 0; index < sample.records().size(); index++) {
      byte[] record = sample.records().get(index);
      long place = index;
      Map<String, Double> before = ignoredCounts(driver);
      driver.send(atItsPlace(record, index));
      driver.events().forEach(event -> outcomes.add(canonicalEvent(event, place)));
      for (TestRecord<byte[], byte[]> letter : driver.deadLetters()) {
        assertThat(letter.value()).isEqualTo(record);
        outcomes.add("dead letter: " + header(letter, "audit.reason"));
      }
      ignoredCounts(driver)
          .forEach(
              (kind, count) -> {
                if (count > before.get(kind)) {
                  outcomes.add("ignored: " + kind);
                }
              });
    }
    return outcomes;
  }

  /** A record that states the place it has in the sample, so that it may be sent again. */
  private static TestRecord<byte[], byte[]> atItsPlace(byte[] record, long index) {
    RecordHeaders headers = new RecordHeaders();
    headers.add("audit.first.origin", ("cdc.raw:0:" + index).getBytes(StandardCharsets.UTF_8));
    String order = Long.toString(TransformerDriver.BEGINNING + index);
    headers.add("audit.stream.order", order.getBytes(StandardCharsets.UTF_8));
    return new TestRecord<>(null, record, headers);
  }

  private static Map<String, Double> ignoredCounts(TransformerDriver driver) {
    return DeadLetterContract.IGNORED_KINDS.stream()
        .collect(Collectors.toMap(kind -> kind, driver::count));
  }

  private static String canonicalEvent(TestRecord<byte[], byte[]> event, long record) {
    ObjectNode value = (ObjectNode) Json.read(event.value());
    assertThat(value.remove("transformed_at").stringValue())
        .isEqualTo("2026-11-22T11:00:00.000001Z");
    assertThat(value.remove("stream_order").longValue())
        .isEqualTo(TransformerDriver.BEGINNING + record);
    return Json.canonical(value);
  }

  private static String header(TestRecord<byte[], byte[]> letter, String name) {
    return new String(letter.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  private static List<String> canonical(Map<String, byte[]> entries) {
    return entries.values().stream()
        .map(Json::read)
        .map(SamplesTest::withoutOrders)
        .map(Json::canonical)
        .toList();
  }

  private static JsonNode withoutOrders(JsonNode entry) {
    for (JsonNode version : entry.required("versions").values()) {
      assertThat(((ObjectNode) version).remove("stream_order").longValue())
          .isGreaterThanOrEqualTo(TransformerDriver.BEGINNING);
    }
    return entry;
  }

  private static List<String> identities(Sample sample) {
    return sample.content().required("events").values().stream()
        .filter(event -> !isKeylessBaseline(event))
        .map(SamplesTest::identity)
        .toList();
  }

  private static boolean isKeylessBaseline(JsonNode event) {
    return event.required("operation").stringValue().equals("baseline") && !event.has("record_key");
  }

  private static String identity(JsonNode event) {
    return event.required("event_id").stringValue();
  }
}
