package io.cdcaudit.postgres;

/** The range of PostgreSQL's numeric, which is also the range of the numbers in its jsonb. */
public final class NumericRange {

  /** Digits before the decimal point. */
  public static final int MOST_WHOLE_DIGITS = 131_072;

  /** Digits after the decimal point. */
  public static final int MOST_FRACTION_DIGITS = 16_383;

  /** Characters of the longest number: all its digits, a sign, a point and an ample exponent. */
  public static final int LONGEST_NUMBER = 150_000;

  /** Larger than any exponent that matters. Ten times as much does not overflow. */
  private static final int HUGE = 100_000_000;

  private NumericRange() {}

  /**
   * Whether a JSON number is in the range. Leading zeros count as digits, and so does the zero of
   * {@code 0e9}.
   *
   * @param characters hold a well-formed JSON number from {@code start} to {@code end}
   */
  public static boolean holds(char[] characters, int start, int end) {
    int point = end;
    int wholeEnd = end;
    int exponentStart = end;
    for (int index = start; index < end; index++) {
      char character = characters[index];
      if (character == '.') {
        point = index;
        wholeEnd = index;
      } else if (character == 'e' || character == 'E') {
        wholeEnd = Math.min(wholeEnd, index);
        exponentStart = index;
        break;
      }
    }
    int wholeDigits = wholeEnd - start - (characters[start] == '-' ? 1 : 0);
    int fractionDigits = Math.max(0, exponentStart - point - 1);
    int exponent = exponent(characters, exponentStart + 1, end);
    return wholeDigits + exponent <= MOST_WHOLE_DIGITS
        && fractionDigits - exponent <= MOST_FRACTION_DIGITS;
  }

  private static int exponent(char[] characters, int start, int end) {
    int exponent = 0;
    for (int index = start; index < end; index++) {
      if (characters[index] >= '0') {
        exponent = Math.min(HUGE, exponent * 10 + characters[index] - '0');
      }
    }
    return start < end && characters[start] == '-' ? -exponent : exponent;
  }
}
