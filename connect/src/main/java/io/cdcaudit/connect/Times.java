package io.cdcaudit.connect;

import java.time.YearMonth;

/**
 * The times that the sink takes, which PostgreSQL's timestamptz takes too. Read by hand: the parser
 * of java.time would throw for a wrong time and make objects for a right one.
 */
final class Times {
  private Times() {}

  /**
   * Whether a text has the form {@code 2026-01-31T23:59:59.123456Z}. It may have 0 to 9 decimals,
   * and an offset such as {@code +01:00} in place of {@code Z}.
   */
  static boolean isTimestamp(String text) {
    boolean separated =
        text.length() >= 20
            && text.charAt(4) == '-'
            && text.charAt(7) == '-'
            && text.charAt(10) == 'T'
            && text.charAt(13) == ':'
            && text.charAt(16) == ':';
    if (!separated || !isDate(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))) {
      return false;
    }
    if (!isWithin(digits(text, 11, 2), 23)
        || !isWithin(digits(text, 14, 2), 59)
        || !isWithin(digits(text, 17, 2), 59)) {
      return false;
    }
    int zone = 19;
    if (text.charAt(zone) == '.') {
      int decimals = 0;
      while (zone + 1 + decimals < text.length() && digits(text, zone + 1 + decimals, 1) >= 0) {
        decimals++;
      }
      if (decimals == 0 || decimals > 9) {
        return false;
      }
      zone += 1 + decimals;
    }
    return isZone(text, zone);
  }

  private static boolean isDate(int year, int month, int day) {
    return year >= 1
        && month >= 1
        && month <= 12
        && day >= 1
        && (day <= 28 || day <= YearMonth.of(year, month).lengthOfMonth());
  }

  private static boolean isZone(String text, int start) {
    int length = text.length() - start;
    if (length == 1) {
      return text.charAt(start) == 'Z';
    }
    return length == 6
        && (text.charAt(start) == '+' || text.charAt(start) == '-')
        && text.charAt(start + 3) == ':'
        && isWithin(digits(text, start + 1, 2), 15)
        && isWithin(digits(text, start + 4, 2), 59);
  }

  private static boolean isWithin(int value, int maximum) {
    return value >= 0 && value <= maximum;
  }

  /** The number that {@code count} ASCII digits spell, or -1. */
  private static int digits(String text, int start, int count) {
    int value = 0;
    for (int index = start; index < start + count; index++) {
      int digit = text.charAt(index) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      value = value * 10 + digit;
    }
    return value;
  }
}
