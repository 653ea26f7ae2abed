package io.cdcaudit.transformer.typing;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.transformer.samples.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArrayTypeTest {

  /** What a literal is made of, and what it escapes. */
  private static final String[] PIECES = {
    "a", "{", "}", ",", "\"", "\\", " ", "NULL", "null", "é", "😀", "\n", "1", ";"
  };

  @RepeatedTest(500)
  void anyArrayOfTextsSurvivesItsLiteral(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    Object array = randomArray(random, 1 + random.nextInt(3));
    Typed typed = Typed.of("text[]", literal(array));
    assertThat(typed.result()).isEqualTo(WriteResult.TYPED);
    assertThat(typed.json()).isEqualTo(Json.read(json(array)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "}",
        "{a",
        "{a,}",
        "{,a}",
        "{{a}",
        "{a}}",
        "{\"a}",
        "{\"a\\",
        "{a\"b\"}",
        "{\"a\"b}",
        "{a{b}}",
        "[1:2]={a,b}",
        "a",
        "{a} ",
        " {a}",
        "{\\a}",
        "{{{{{{{a}}}}}}}"
      })
  void whatIsNoLiteralStaysAsItIs(String literal) {
    Typed typed = Typed.of("text[]", literal);
    assertThat(typed.result()).isEqualTo(WriteResult.UNTYPED);
    assertThat(typed.json().stringValue()).isEqualTo(literal);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{1.5}", "{1,x}", "{\"\"}", "{1e30}"})
  void anArrayIsTypedWholeOrNotAtAll(String literal) {
    assertThat(Typed.of("integer[]", literal).result()).isEqualTo(WriteResult.UNTYPED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e200000", "{\"a\":1,\"a\":2}"})
  void jsonThatJsonbWouldRefuseOrChangeStaysAsItIsAlone(String document) {
    assertThat(Typed.of("json", document))
        .isEqualTo(new Typed(WriteResult.UNTYPED, Typed.quoted(document)));
    String literal = "{\"%s\",1}".formatted(document.replace("\"", "\\\""));
    assertThat(Typed.of("json[]", literal))
        .isEqualTo(new Typed(WriteResult.UNTYPED, Typed.quoted(literal)));
  }

  private static List<Object> randomArray(Random random, int dimensions) {
    List<Object> array = new ArrayList<>();
    int size = random.nextInt(dimensions > 1 ? 3 : 6) + (dimensions > 1 ? 1 : 0);
    for (int index = 0; index < size; index++) {
      array.add(dimensions > 1 ? randomArray(random, dimensions - 1) : randomElement(random));
    }
    return array;
  }

  private static String randomElement(Random random) {
    if (random.nextInt(6) == 0) {
      return null;
    }
    StringBuilder element = new StringBuilder();
    for (int piece = random.nextInt(5); piece > 0; piece--) {
      element.append(PIECES[random.nextInt(PIECES.length)]);
    }
    return element.toString();
  }

  /** As PostgreSQL's {@code array_out} writes it. */
  private static String literal(Object value) {
    if (value instanceof List<?> list) {
      return "{" + String.join(",", list.stream().map(ArrayTypeTest::literal).toList()) + "}";
    }
    if (value == null) {
      return "NULL";
    }
    String text = (String) value;
    boolean bare = text.matches("[^{}\",\\\\\\s]+") && !text.equalsIgnoreCase("null");
    return bare ? text : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static String json(Object value) {
    return value instanceof List<?> list
        ? "[" + String.join(",", list.stream().map(ArrayTypeTest::json).toList()) + "]"
        : value == null ? "null" : Typed.quoted((String) value);
  }
}
