package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.contract.JsonLimits;
import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.Text;
import java.math.BigDecimal;

/** Numbers keep every digit: they are never read into a floating-point value. */
final class Numbers {

  /** PostgreSQL's numeric has no digit further away from its point. */
  private static final int MOST_DIGITS = JsonLimits.DIGITS_BEFORE_POINT;

  private Numbers() {}

  /** Whether PostgreSQL writes the value as a word, which JSON has no number for. */
  static boolean isNotFinite(Text text) {
    return text.isAscii("NaN") || text.isAscii("Infinity") || text.isAscii("-Infinity");
  }

  static Fit writeAsIs(Text text, JsonOutput output) {
    if (!isNumber(text)) {
      return Fit.UNTYPED;
    }
    output.write(text.bytes(), text.start(), text.end());
    return Fit.TYPED;
  }

  static Fit writeDecimal(Text text, JsonOutput output) {
    if (!isNumber(text)) {
      return Fit.UNTYPED;
    }
    if (!hasExponent(text)) {
      output.write(text.bytes(), text.start(), text.end());
      return Fit.TYPED;
    }
    BigDecimal number = read(text);
    if (number == null || Math.abs((long) number.scale()) > MOST_DIGITS) {
      return Fit.UNTYPED;
    }
    output.writeAscii(number.toPlainString());
    return Fit.TYPED;
  }

  /** Whether {@link #writeInteger} would find the number incomplete. */
  static boolean isRoundedInteger(Text text) {
    if (isWhole(text) || !isNumber(text)) {
      return false;
    }
    BigDecimal number = read(text);
    return number != null && number.signum() != 0 && number.scale() < 0;
  }

  /**
   * DMS writes an integer of more than 16 digits in scientific notation. If the digits do not reach
   * down to the units, it was rounded.
   */
  static Fit writeInteger(Text text, JsonOutput output) {
    if (isWhole(text)) {
      output.write(text.bytes(), text.start(), text.end());
      return Fit.TYPED;
    }
    BigDecimal number = isNumber(text) ? read(text) : null;
    if (number == null) {
      return Fit.UNTYPED;
    }
    if (number.signum() == 0) {
      output.write('0');
      return Fit.TYPED;
    }
    if (number.scale() < 0) {
      return Fit.INCOMPLETE;
    }
    BigDecimal stripped = number.stripTrailingZeros();
    if (stripped.scale() > 0) {
      return Fit.UNTYPED;
    }
    output.writeAscii(stripped.toPlainString());
    return Fit.TYPED;
  }

  /** Whether the text is a number as JSON writes it. */
  private static boolean isNumber(Text text) {
    int index = text.length() > 0 && text.at(0) == '-' ? 1 : 0;
    int whole = digitsFrom(text, index);
    if (whole == index || (whole > index + 1 && text.at(index) == '0')) {
      return false;
    }
    index = whole;
    if (index < text.length() && text.at(index) == '.') {
      int fraction = digitsFrom(text, index + 1);
      if (fraction == index + 1) {
        return false;
      }
      index = fraction;
    }
    if (index < text.length() && (text.at(index) == 'e' || text.at(index) == 'E')) {
      index++;
      if (index < text.length() && (text.at(index) == '+' || text.at(index) == '-')) {
        index++;
      }
      int exponent = digitsFrom(text, index);
      if (exponent == index) {
        return false;
      }
      index = exponent;
    }
    return index == text.length();
  }

  private static boolean isWhole(Text text) {
    int index = text.length() > 0 && text.at(0) == '-' ? 1 : 0;
    int end = digitsFrom(text, index);
    return end == text.length() && end > index && (end == index + 1 || text.at(index) != '0');
  }

  /** The end of the digits that begin at an index. */
  private static int digitsFrom(Text text, int index) {
    int end = index;
    while (end < text.length() && text.at(end) >= '0' && text.at(end) <= '9') {
      end++;
    }
    return end;
  }

  private static boolean hasExponent(Text text) {
    for (int index = 0; index < text.length(); index++) {
      if (text.at(index) == 'e' || text.at(index) == 'E') {
        return true;
      }
    }
    return false;
  }

  private static BigDecimal read(Text number) {
    try {
      return new BigDecimal(number.toString());
    } catch (NumberFormatException exponentOutOfRange) {
      return null;
    }
  }
}
