package io.cdcaudit.transformer.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TableNameTest {

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "shop,orders,shop.orders",
        "Shop 1,Naïve Table,Shop 1.Naïve Table",
        "a.b,c,\"a.b\".c",
        "a,b.c,a.\"b.c\"",
        "a,the \"b\",a.\"the \"\"b\"\"\""
      })
  void onlyANameWithADotOrAQuoteIsQuoted(String schema, String table, String quoted) {
    assertThat(new TableName(schema, table).quoted()).isEqualTo(quoted);
  }

  @Test
  void noTwoTablesAreQuotedAlike() {
    List<TableName> tables = new ArrayList<>();
    for (String schema : names()) {
      for (String table : names()) {
        tables.add(new TableName(schema, table));
      }
    }
    assertThat(tables.stream().map(TableName::quoted).collect(Collectors.toSet()))
        .hasSameSizeAs(tables);
  }

  /** Every name of up to four characters that may confuse. */
  private static List<String> names() {
    List<String> names = new ArrayList<>(List.of("a", ".", "\""));
    for (int index = 0; names.get(index).length() < 4; index++) {
      for (String character : List.of("a", ".", "\"")) {
        names.add(names.get(index) + character);
      }
    }
    return names;
  }

  @Test
  void inSqlWhatFoldingOrParsingWouldChangeIsQuoted() {
    assertThat(new TableName("part", "jobs_2026").inSql()).isEqualTo("part.jobs_2026");
    assertThat(new TableName("Part", "two words").inSql()).isEqualTo("\"Part\".\"two words\"");
    assertThat(new TableName("a.b", "c\"d").inSql()).isEqualTo("\"a.b\".\"c\"\"d\"");
    assertThat(new TableName("order", "1st").inSql()).isEqualTo("order.\"1st\"");
  }
}
