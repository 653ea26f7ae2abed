package io.cdcaudit.transformer.record;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;

/**
 * A point in time as DMS writes it.
 *
 * @param text ISO-8601 in UTC, with the fraction as it was given
 * @param epochMicroseconds the same point, to compare by
 */
public record Timestamp(String text, long epochMicroseconds) implements Comparable<Timestamp> {

  private static final int LENGTH_WITHOUT_FRACTION = "2026-01-31T10:11:12Z".length();
  private static final long MICROSECONDS_PER_SECOND = 1_000_000;

  /**
   * Reads {@code 2026-01-31T10:11:12.123456Z}, with or without a fraction. Other offsets are
   * converted to UTC.
   *
   * @throws DateTimeException if the text is no such time
   */
  public static Timestamp parse(String text) {
    int length = text.length();
    if (length < LENGTH_WITHOUT_FRACTION || text.charAt(length - 1) != 'Z') {
      return inUtc(OffsetDateTime.parse(text));
    }
    long day =
        LocalDate.of(digits(text, 0, 4), digitsAfter('-', text, 4), digitsAfter('-', text, 7))
            .toEpochDay();
    int hour = digitsAfter('T', text, 10);
    int minute = digitsAfter(':', text, 13);
    int second = digitsAfter(':', text, 16);
    if (hour > 23 || minute > 59 || second > 59) {
      throw new DateTimeException("not a time of day: " + text);
    }
    long seconds = day * 86_400 + hour * 3600L + minute * 60L + second;
    return new Timestamp(text, seconds * MICROSECONDS_PER_SECOND + microseconds(text, length - 1));
  }

  private static Timestamp inUtc(OffsetDateTime time) {
    if (time.getYear() < 1 || time.getYear() > 9998) {
      throw new DateTimeException("not a time of the years 1 to 9998: " + time);
    }
    return of(time.toInstant());
  }

  /** Of a point in time, always with six digits of a second. */
  public static Timestamp of(Instant instant) {
    long second = instant.getEpochSecond();
    int microsecond = instant.getNano() / 1000;
    // Written by hand: the formatter of java.time would take a tenth of the whole time spent on a
    // record.
    LocalDateTime time = LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC);
    byte[] text = "0000-00-00T00:00:00.000000Z".getBytes(StandardCharsets.US_ASCII);
    write(time.getYear(), text, 4);
    write(time.getMonthValue(), text, 7);
    write(time.getDayOfMonth(), text, 10);
    write(time.getHour(), text, 13);
    write(time.getMinute(), text, 16);
    write(time.getSecond(), text, 19);
    write(microsecond, text, 26);
    return new Timestamp(
        new String(text, StandardCharsets.US_ASCII),
        second * MICROSECONDS_PER_SECOND + microsecond);
  }

  @Override
  public int compareTo(Timestamp other) {
    return Long.compare(epochMicroseconds, other.epochMicroseconds);
  }

  /** Writes a number's digits to end before an index. The text has zeros there. */
  private static void write(int number, byte[] text, int end) {
    for (int index = end - 1, rest = number; rest > 0; index--, rest /= 10) {
      text[index] = (byte) ('0' + rest % 10);
    }
  }

  private static long microseconds(String text, int end) {
    if (end == LENGTH_WITHOUT_FRACTION - 1) {
      return 0;
    }
    int start = LENGTH_WITHOUT_FRACTION;
    int count = end - start;
    if (text.charAt(start - 1) != '.' || count < 1 || count > 9) {
      throw new DateTimeException("not a fraction of a second: " + text);
    }
    long fraction = digits(text, start, end);
    for (int place = count; place < 6; place++) {
      fraction *= 10;
    }
    for (int place = count; place > 6; place--) {
      fraction /= 10;
    }
    return fraction;
  }

  private static int digitsAfter(char separator, String text, int index) {
    if (text.charAt(index) != separator) {
      throw new DateTimeException("not an ISO-8601 time: " + text);
    }
    return digits(text, index + 1, index + 3);
  }

  private static int digits(String text, int start, int end) {
    int value = 0;
    for (int index = start; index < end; index++) {
      int digit = text.charAt(index) - '0';
      if (digit < 0 || digit > 9) {
        throw new DateTimeException("not an ISO-8601 time: " + text);
      }
      value = value * 10 + digit;
    }
    return value;
  }
}
