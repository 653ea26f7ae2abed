package io.cdcaudit.transformer.record;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * A point in time, to the microsecond, by the rule of {@code contract/time.schema.json}.
 *
 * @param text ISO-8601 in UTC, with up to six digits of a second, as many as were given
 * @param epochMicroseconds the same point, to compare by
 */
public record Timestamp(String text, long epochMicroseconds) implements Comparable<Timestamp> {

  private static final int SECONDS_END = "2026-01-31T10:11:12".length();
  private static final int MICROSECONDS_END = "2026-01-31T10:11:12.123456".length();
  private static final int OFFSET_LENGTH = "+02:00".length();
  private static final int LARGEST_OFFSET_HOURS = 15;
  private static final long MICROSECONDS_PER_SECOND = 1_000_000;
  private static final long YEAR_1 = microsecondsOf(1);
  private static final long YEAR_10000 = microsecondsOf(10_000);

  /**
   * Reads {@code 2026-01-31T10:11:12.123456Z}, with or without a fraction. What is finer than a
   * microsecond is cut off; other offsets are converted to UTC.
   *
   * @throws DateTimeException if the text is no such time
   */
  public static Timestamp parse(String text) {
    int zone = zoneStart(text);
    long local = localMicroseconds(text, zone);
    if (zone == text.length() - 1) {
      String kept = zone <= MICROSECONDS_END ? text : text.substring(0, MICROSECONDS_END) + "Z";
      return new Timestamp(kept, local);
    }
    long utc = local - offsetSeconds(text, zone) * MICROSECONDS_PER_SECOND;
    if (utc < YEAR_1 || utc >= YEAR_10000) {
      throw new DateTimeException("not a time of the years 1 to 9999 in UTC: " + text);
    }
    long second = Math.floorDiv(utc, MICROSECONDS_PER_SECOND);
    return of(second, (int) Math.floorMod(utc, MICROSECONDS_PER_SECOND));
  }

  /** Of a point in time, always with six digits of a second. */
  public static Timestamp of(Instant instant) {
    return of(instant.getEpochSecond(), instant.getNano() / 1000);
  }

  private static Timestamp of(long second, int microsecond) {
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

  private static long microsecondsOf(int year) {
    return LocalDate.of(year, 1, 1).toEpochDay() * 86_400 * MICROSECONDS_PER_SECOND;
  }

  private static int zoneStart(String text) {
    int length = text.length();
    int zone = length > 0 && text.charAt(length - 1) == 'Z' ? length - 1 : length - OFFSET_LENGTH;
    if (zone < SECONDS_END) {
      throw notATime(text);
    }
    return zone;
  }

  /** Microseconds since 1970 of the date and time before the zone, as if they were in UTC. */
  private static long localMicroseconds(String text, int zone) {
    int year = digits(text, 0, 4);
    int month = digitsAfter('-', text, 4);
    int day = digitsAfter('-', text, 7);
    int hour = digitsAfter('T', text, 10);
    int minute = digitsAfter(':', text, 13);
    int second = digitsAfter(':', text, 16);
    if (year < 1 || hour > 23 || minute > 59 || second > 59) {
      throw notATime(text);
    }
    long seconds =
        LocalDate.of(year, month, day).toEpochDay() * 86_400 + hour * 3600L + minute * 60L + second;
    return seconds * MICROSECONDS_PER_SECOND + fraction(text, zone);
  }

  private static long offsetSeconds(String text, int zone) {
    char sign = text.charAt(zone);
    int hours = digits(text, zone + 1, zone + 3);
    int minutes = digitsAfter(':', text, zone + 3);
    if ((sign != '+' && sign != '-') || hours > LARGEST_OFFSET_HOURS || minutes > 59) {
      throw notATime(text);
    }
    long seconds = hours * 3600L + minutes * 60L;
    return sign == '+' ? seconds : -seconds;
  }

  /** The fraction of a second that ends before an index, in microseconds. */
  private static long fraction(String text, int end) {
    if (end == SECONDS_END) {
      return 0;
    }
    int start = SECONDS_END + 1;
    int count = end - start;
    if (text.charAt(SECONDS_END) != '.' || count < 1 || count > 9) {
      throw notATime(text);
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
      throw notATime(text);
    }
    return digits(text, index + 1, index + 3);
  }

  private static int digits(String text, int start, int end) {
    int value = 0;
    for (int index = start; index < end; index++) {
      int digit = text.charAt(index) - '0';
      if (digit < 0 || digit > 9) {
        throw notATime(text);
      }
      value = value * 10 + digit;
    }
    return value;
  }

  private static DateTimeException notATime(String text) {
    return new DateTimeException("not an ISO-8601 time with a zone: " + text);
  }
}
