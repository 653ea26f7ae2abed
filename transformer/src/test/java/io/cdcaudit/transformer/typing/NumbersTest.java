package io.cdcaudit.transformer.typing;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumbersTest {

  @RepeatedTest(300)
  void anIntegerWithAllItsDigitsIsTheSameInAnyNotation(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    BigInteger integer = BigInteger.valueOf(random.nextLong() >> random.nextInt(60));
    assertThat(Typed.ofJson("bigint", integer.toString()))
        .isEqualTo(new Typed(WriteResult.TYPED, integer.toString()));
    assertThat(Typed.ofJson("bigint", scientific(integer)))
        .isEqualTo(new Typed(WriteResult.TYPED, integer.toString()));
  }

  @RepeatedTest(100)
  void anIntegerWithoutItsLastDigitsIsIncomplete(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    String rounded =
        "%d.%de+%d"
            .formatted(1 + random.nextInt(9), 1 + random.nextInt(999), 4 + random.nextInt(14));
    assertThat(Typed.ofJson("bigint", rounded)).isEqualTo(new Typed(WriteResult.INCOMPLETE, ""));
  }

  @RepeatedTest(200)
  void aNumericKeepsEveryDigit(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    BigDecimal number =
        new BigDecimal(new BigInteger(random.nextInt(200), random), random.nextInt(60) - 30);
    String plain = number.toPlainString();
    assertThat(Typed.ofJson("numeric", plain).text()).isEqualTo(plain);
    assertThat(Typed.of("numeric", plain).text()).isEqualTo(plain);
    assertThat(new BigDecimal(Typed.ofJson("numeric", number.toString()).text()))
        .isEqualByComparingTo(number);
  }

  @Test
  void trailingZerosAreDigitsToo() {
    assertThat(Typed.ofJson("numeric", "12.3400").text()).isEqualTo("12.3400");
    assertThat(Typed.of("numeric[]", "{1.50,0.00}").text()).isEqualTo("[1.50,0.00]");
  }

  @Test
  void aNumberWithAnAbsurdExponentIsNotWrittenOut() {
    assertThat(Typed.ofJson("numeric", "1e999999999").result()).isEqualTo(WriteResult.UNTYPED);
    assertThat(Typed.ofJson("numeric", "1e99999999999").result()).isEqualTo(WriteResult.UNTYPED);
    assertThat(Typed.ofJson("bigint", "1e999999999").result()).isEqualTo(WriteResult.INCOMPLETE);
  }

  @ParameterizedTest
  @CsvSource({"0e5,0", "-0.0,0", "5.0,5", "500e-2,5", "-1.20e1,-12"})
  void anIntegerMayComeWithAnEmptyFraction(String sent, String written) {
    assertThat(Typed.ofJson("integer", sent)).isEqualTo(new Typed(WriteResult.TYPED, written));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1.5.5", "0x10", "1_000", " 1", "1 ",
        "one"
      })
  void whatJsonWouldNotCallANumberStaysAText(String text) {
    for (String type : new String[] {"integer", "numeric", "double precision"}) {
      assertThat(Typed.of(type, text))
          .isEqualTo(new Typed(WriteResult.UNTYPED, Typed.quoted(text)));
    }
  }

  private static String scientific(BigInteger integer) {
    String digits = integer.abs().toString();
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return (integer.signum() < 0 ? "-" : "")
        + digits.charAt(0)
        + fraction
        + "e+"
        + (digits.length() - 1);
  }
}
