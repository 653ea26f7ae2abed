package io.cdcaudit.transformer.catalog;

import static io.cdcaudit.transformer.catalog.TableHistoryTest.TABLE;
import static io.cdcaudit.transformer.catalog.TableHistoryTest.history;
import static io.cdcaudit.transformer.catalog.TableHistoryTest.version;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CatalogsTest {

  private final Catalogs catalogs = new Catalogs();

  @Test
  void aVersionIsInForceAtOnceAndUnpublishedUntilTheTopicShowsIt() {
    catalogs.add(TABLE, version(1, "a"));
    assertThat(catalogs.historyOf(TABLE).versions()).hasSize(1);
    assertThat(catalogs.isUnpublished(TABLE)).isTrue();

    catalogs.receive(history(List.of(version(1, "a"))));
    assertThat(catalogs.isUnpublished(TABLE)).isFalse();
  }

  @Test
  void whatTheTopicKnowsAlreadyIsNotPublishedAgain() {
    catalogs.receive(history(List.of(version(1, "a"), version(2, "b"))));
    catalogs.add(TABLE, version(1, "a"));
    assertThat(catalogs.isUnpublished(TABLE)).isFalse();
  }

  @Test
  void aVersionThatAnotherProcessDidNotKnowOfIsKeptAndPublishedAgain() {
    catalogs.add(TABLE, version(1, "a"));
    catalogs.add(TABLE, version(2, "b"));
    catalogs.receive(history(List.of(version(1, "a"), version(3, "c"))));
    assertThat(catalogs.unpublished())
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
    catalogs.add(TABLE, version(1, "a"));
    catalogs.add(TABLE, version(2, "b"));
    catalogs.receive(history(List.of(version(1, "a"))));
    assertThat(catalogs.historyOf(TABLE).versions()).hasSize(2);
    assertThat(catalogs.isUnpublished(TABLE)).isTrue();
  }

  @Test
  void aDeletedEntryIsForgotten() {
    catalogs.receive(history(List.of(version(1, "a"))));
    catalogs.forget(TABLE);
    assertThat(catalogs.historyOf(TABLE).versions()).isEmpty();
    assertThat(catalogs.isUnpublished(TABLE)).isFalse();
  }
}
