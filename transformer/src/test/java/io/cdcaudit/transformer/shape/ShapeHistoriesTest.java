package io.cdcaudit.transformer.shape;

import static io.cdcaudit.transformer.shape.ShapeHistoryTest.TABLE;
import static io.cdcaudit.transformer.shape.ShapeHistoryTest.history;
import static io.cdcaudit.transformer.shape.ShapeHistoryTest.version;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ShapeHistoriesTest {

  private final ShapeHistories histories = new ShapeHistories();

  @Test
  void aVersionIsInForceAtOnceAndUnpublishedUntilTheTopicShowsIt() {
    histories.add(TABLE, version(1, "a"));
    assertThat(histories.historyOf(TABLE).versions()).hasSize(1);
    assertThat(histories.isUnpublished(TABLE)).isTrue();

    histories.receive(history(List.of(version(1, "a"))));
    assertThat(histories.isUnpublished(TABLE)).isFalse();
  }

  @Test
  void whatTheTopicKnowsAlreadyIsNotPublishedAgain() {
    histories.receive(history(List.of(version(1, "a"), version(2, "b"))));
    histories.add(TABLE, version(1, "a"));
    assertThat(histories.isUnpublished(TABLE)).isFalse();
  }

  @Test
  void aVersionThatAnotherProcessDidNotKnowOfIsKeptAndPublishedAgain() {
    histories.add(TABLE, version(1, "a"));
    histories.add(TABLE, version(2, "b"));
    histories.receive(history(List.of(version(1, "a"), version(3, "c"))));
    assertThat(histories.unpublished())
        .singleElement()
        .satisfies(
            history ->
                assertThat(
                        history.saysTheSameAs(
                            history(List.of(version(1, "a"), version(2, "b"), version(3, "c")))))
                    .isTrue());
  }

  @Test
  void theEchoOfAnOlderEntryTakesNothingAway() {
    histories.add(TABLE, version(1, "a"));
    histories.add(TABLE, version(2, "b"));
    histories.receive(history(List.of(version(1, "a"))));
    assertThat(histories.historyOf(TABLE).versions()).hasSize(2);
    assertThat(histories.isUnpublished(TABLE)).isTrue();
  }

  @Test
  void aDeletedEntryIsForgotten() {
    histories.receive(history(List.of(version(1, "a"))));
    histories.forget(TABLE);
    assertThat(histories.historyOf(TABLE).versions()).isEmpty();
    assertThat(histories.isUnpublished(TABLE)).isFalse();
  }
}
