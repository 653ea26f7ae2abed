package io.cdcaudit.transformer.record;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.json.JsonSlice;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a reader remembers of names never shows in what it reads. */
class MemberNamesTest {
  private final IncomingRecordReader reader = new IncomingRecordReader();

  @Test
  void namesThatDifferFromTheLikelyOnesAreReadAsTheyAre() {
    assertThat(columns("{\"id\":1,\"name\":\"a\",\"note\":null}"))
        .containsExactly("id=1", "name=\"a\"", "note=null");
    assertThat(columns("{\"id\":1,\"nam\":\"a\",\"note\":null}"))
        .containsExactly("id=1", "nam=\"a\"", "note=null");
    assertThat(columns("{\"id\":1,\"name2\":{\"id\":[1]} , \"note\":2}"))
        .containsExactly("id=1", "name2={\"id\":[1]}", "note=2");
    assertThat(columns("{ \"note\" : 2 , \"id\" :1}")).containsExactly("note=2", "id=1");
    assertThat(columns("{}")).isEmpty();
    assertThat(columns("{\"id\":1}")).containsExactly("id=1");
  }

  @Test
  void aNameIsTheSameHoweverItIsWritten() {
    for (int time = 0; time < 2; time++) {
      assertThat(columns("{\"id\":1,\"a \\\"b\\\" ä\":2}"))
          .containsExactly("id=1", "a \"b\" ä=2");
      assertThat(columns("{\"\\u0069d\":1,\"a \\u0022b\\u0022 \\u00e4\":2}"))
          .containsExactly("id=1", "a \"b\" ä=2");
    }
    assertThat(names("{\"\\u0069d\":1}")[0]).isSameAs(names("{\"id\":1}")[0]);
  }

  @Test
  void aReaderOfManyRecordsReadsEachAsAFreshReaderDoes() {
    Random random = new Random(42);
    List<String> names = List.of("id", "ids", "i", "name", "a b", "ä", "\\u0069d2", "x\\ty", "");
    for (int number = 0; number < 5_000; number++) {
      StringBuilder row = new StringBuilder("{");
      for (String name : names) {
        if (random.nextInt(3) > 0) {
          // Of several names after each other each may be the likely one.
          String column = number % 7 == 0 ? name + random.nextInt(20_000) : name;
          String value = random.nextBoolean() ? "\"v\\n\"" : "{\"id\":" + number + "}";
          row.append(row.length() > 1 ? "," : "");
          row.append("\"").append(column).append("\":").append(value);
        }
      }
      String image = row.append("}").toString();
      assertThat(columns(image)).isEqualTo(columns(new IncomingRecordReader(), image));
    }
  }

  private List<String> columns(String image) {
    return columns(reader, image);
  }

  private String[] names(String image) {
    return change(reader, image).data().names();
  }

  private static List<String> columns(IncomingRecordReader reader, String image) {
    RowImage row = change(reader, image).data();
    List<String> columns = new ArrayList<>();
    for (int index = 0; index < row.size(); index++) {
      JsonSlice value = row.value(index);
      columns.add(row.name(index) + "=" + value);
    }
    return columns;
  }

  private static ChangeRecord change(IncomingRecordReader reader, String image) {
    String record =
        """
        {"data":%s,"metadata":{"timestamp":"2026-11-22T10:11:13.000001Z","record-type":"data",\
        "operation":"load","schema-name":"shop","table-name":"orders"}}\
        """
            .formatted(image);
    return (ChangeRecord) reader.read(record.getBytes(StandardCharsets.UTF_8));
  }
}
