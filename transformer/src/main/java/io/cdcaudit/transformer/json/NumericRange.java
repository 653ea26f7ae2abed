package io.cdcaudit.transformer.json;

import io.cdcaudit.transformer.contract.JsonLimits;

/** What PostgreSQL's numeric holds, and so its jsonb. */
final class NumericRange {

  private static final int MOST_WHOLE_DIGITS = JsonLimits.DIGITS_BEFORE_POINT;
  private static final int MOST_FRACTION_DIGITS = JsonLimits.DIGITS_AFTER_POINT;

  /** Beyond any exponent that matters; ten times as much does not overflow. */
  private static final int HUGE = 100_000_000;

  private NumericRange() {}

  /** Whether a JSON number fits. Leading zeros count as digits, as does the zero of {@code 0e9}. */
  static boolean holds(char[] characters, int start, int end) {
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
