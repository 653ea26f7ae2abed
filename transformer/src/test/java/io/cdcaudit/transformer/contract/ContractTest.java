package io.cdcaudit.transformer.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cdcaudit.transformer.event.IgnoredKind;
import io.cdcaudit.transformer.record.DeadLetterReason;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContractTest {

  private enum Stranger {
    NO_SUCH_WORD
  }

  @Test
  void everyReasonOfADeadLetterHasAConstant() {
    assertThat(Arrays.stream(DeadLetterReason.values()).map(DeadLetterReason::code))
        .containsExactlyElementsOf(DeadLetterContract.REASONS);
  }

  @Test
  void everyKindOfIgnoredRecordHasAConstant() {
    assertThat(Arrays.stream(IgnoredKind.values()).map(IgnoredKind::code))
        .containsExactlyElementsOf(DeadLetterContract.IGNORED_KINDS);
  }

  @Test
  void aConstantThatTheContractDoesNotKnowSaysSo() {
    assertThatThrownBy(() -> ContractFile.wordOf(Stranger.NO_SUCH_WORD, List.of("word")))
        .hasMessageContainingAll("Stranger.NO_SUCH_WORD", "no-such-word", "[word]");
  }

  @Test
  void aFileThatTheBuildLeftOutSaysSo() {
    assertThatThrownBy(() -> ContractFile.read("nowhere.json"))
        .hasMessageContaining("/contract/nowhere.json is not on the class path");
  }

  @Test
  void theFactsOfASessionStandInTheFirstColumnsOfTheBody() {
    assertThat(SignalContract.SESSION_FACTS.values())
        .containsExactlyElementsOf(
            SignalContract.BODY_COLUMNS.subList(0, SignalContract.SESSION_FACTS.size()));
  }
}
