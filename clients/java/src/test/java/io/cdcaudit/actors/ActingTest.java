package io.cdcaudit.actors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActingTest {

  @Test
  void anActEndsWithItsBlockAndTheOuterOneGoesOn() {
    try (var outer = Acting.as("mia", "r-1", Map.of("reason", "refund"))) {
      try (var inner = Acting.as("admin")) {
        assertThat(Acting.words()).isEqualTo(new Act.Words("admin", null, "{}"));
      }
      assertThat(Acting.words()).isEqualTo(new Act.Words("mia", "r-1", "{\"reason\":\"refund\"}"));
    }
    assertThat(Acting.current()).isEmpty();
  }

  @Test
  void identifyNamesWhomTheFilterDidNotKnow() {
    assertThatThrownBy(() -> Acting.identify("mia")).hasMessageContaining("Acting.as");
    try (var scope = Acting.as(null, "r-1")) {
      assertThat(Acting.words()).isEqualTo(Act.Words.NOBODY);
      Acting.identify("mia");
      assertThat(Acting.words()).isEqualTo(new Act.Words("mia", "r-1", "{}"));
    }
  }

  @Test
  void statementsThatFindOutWhoActsAreNobodys() {
    AtomicReference<Act.Words> asked = new AtomicReference<>(new Act.Words("", "", ""));
    try (var scope = Acting.asKnownBy(() -> {
      asked.set(Acting.words());
      return "mia";
    }, null)) {
      assertThat(Acting.words().actor()).isEqualTo("mia");
    }
    assertThat(asked.get()).isNull();
  }

  @Test
  void carriedWorkActsForWhomItWasHandedOverByEvenWhenTheRequestServesAnotherByThen() throws Exception {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    AtomicReference<String> user = new AtomicReference<>("mia");
    try (var scope = Acting.asKnownBy(user::get, "r-1")) {
      var carried = Acting.carry(Acting::words);
      user.set("noah");
      assertThat(executor.submit(carried).get().actor()).isEqualTo("mia");
    }
    assertThat(executor.submit(Acting::words).get()).isNull();
    assertThat(executor.submit(Acting.carry(Acting::words)).get()).isNull();
    try (var scope = Acting.as(null)) {
      assertThat(executor.submit(Acting.carry(Acting::words)).get()).isEqualTo(Act.Words.NOBODY);
    }
    executor.shutdown();
  }

  @Test
  void aContextIsJson() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("text", "a \"b\" \\ \n ü");
    facts.put("list", Arrays.asList(1, 2.5, true, null));
    facts.put("map", Map.of("a", List.of()));
    assertThat(Json.object(facts))
        .isEqualTo("{\"text\":\"a \\\"b\\\" \\\\ \\u000a ü\",\"list\":[1,2.5,true,null],\"map\":{\"a\":[]}}");
    assertThatThrownBy(() -> Json.object(Map.of("a", Double.NaN))).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "SELECT 1|true|false",
    " insert into t values (1)|true|true",
    "/* a */ (UPDATE t SET a = 1)|true|true",
    "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a|true|true",
    "WITH a AS (SELECT 1) SELECT * FROM a|true|false",
    "VACUUM t|true|false",
    "{call f()}|true|false",
    "SAVEPOINT a|true|false",
    "SET TRANSACTION READ ONLY|false|false",
    "lock table t|false|false",
    "COMMIT|false|false",
    "START TRANSACTION|false|false",
  })
  void theFirstWordOfAStatementTellsWhatItNeeds(String statement, boolean named, boolean changing) {
    assertThat(Statements.wantsName(statement)).isEqualTo(named);
    assertThat(Statements.changesRows(statement)).isEqualTo(changing);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
    "COMMIT|true|true",
    "/* a */ rollback work -- b|true|true",
    "END TRANSACTION;|true|true",
    "COMMIT AND NO CHAIN|true|true",
    "COMMIT AND CHAIN|false|true",
    "ROLLBACK TO a|false|true",
    "ROLLBACK TO SAVEPOINT a|false|true",
    "BEGIN; INSERT INTO t VALUES (1); COMMIT|true|true",
    "COMMIT; BEGIN|false|true",
    "PREPARE TRANSACTION 'a'|true|true",
    "PREPARE a AS SELECT 1|false|false",
    "SELECT CASE WHEN a THEN b END|false|false",
  })
  void aTextTellsWhetherItEndsTheTransactionOrTakesTheNameBack(String text, boolean ending, boolean undoing) {
    assertThat(Statements.ends(text)).isEqualTo(ending);
    assertThat(Statements.undoesName(text)).isEqualTo(undoing);
  }
}
