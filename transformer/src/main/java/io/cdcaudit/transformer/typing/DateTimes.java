package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.Text;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;

/**
 * Timestamps. DMS writes {@code 2026-01-31T10:11:12.5Z} for both PostgreSQL types; within an array
 * they are PostgreSQL's {@code 2026-01-31 10:11:12.5+00}. Infinity and years before 1 or after 9999
 * do not fit.
 */
final class DateTimes {

  private static final String PATTERN = "dddd-dd-ddTdd:dd:dd";

  private static final DateTimeFormatter WITHOUT_ZONE =
      new DateTimeFormatterBuilder()
          .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
          .appendFraction(ChronoField.MICRO_OF_SECOND, 0, 6, true)
          .toFormatter();

  private DateTimes() {}

  static WriteResult writeWithoutZone(Text text, JsonOutput output) {
    int end = localEnd(text);
    if (end < 0 || !(end == text.length() || isZulu(text, end))) {
      return WriteResult.UNTYPED;
    }
    writeLocal(text, end, output);
    output.write('"');
    return WriteResult.TYPED;
  }

  static WriteResult writeInUtc(Text text, JsonOutput output) {
    int end = localEnd(text);
    if (end < 0 || end == text.length()) {
      return WriteResult.UNTYPED;
    }
    if (isZulu(text, end) || text.from(end).isAscii("+00")) {
      writeLocal(text, end, output);
      output.write('Z').write('"');
      return WriteResult.TYPED;
    }
    return writeConverted(text, end, output);
  }

  private static WriteResult writeConverted(Text text, int end, JsonOutput output) {
    try {
      String local =
          new Text(text.bytes(), text.start(), text.start() + end).toString().replace(' ', 'T');
      ZoneOffset offset = ZoneOffset.of(text.from(end).toString());
      LocalDateTime utc =
          LocalDateTime.parse(local)
              .atOffset(offset)
              .withOffsetSameInstant(ZoneOffset.UTC)
              .toLocalDateTime();
      if (utc.getYear() < 1 || utc.getYear() > 9999) {
        return WriteResult.UNTYPED;
      }
      output.write('"').writeAscii(WITHOUT_ZONE.format(utc)).write('Z').write('"');
      return WriteResult.TYPED;
    } catch (DateTimeException notATime) {
      return WriteResult.UNTYPED;
    }
  }

  private static void writeLocal(Text text, int end, JsonOutput output) {
    int separator = text.start() + PATTERN.indexOf('T');
    output.write('"');
    output.write(text.bytes(), text.start(), separator);
    output.write('T');
    output.write(text.bytes(), separator + 1, text.start() + end);
  }

  private static boolean isZulu(Text text, int index) {
    return index == text.length() - 1 && text.at(index) == 'Z';
  }

  /** Where date, time and fraction end; -1 if the text does not begin with them. */
  private static int localEnd(Text text) {
    int length = PATTERN.length();
    if (text.length() < length) {
      return -1;
    }
    for (int index = 0; index < length; index++) {
      byte actual = text.at(index);
      boolean matches =
          switch (PATTERN.charAt(index)) {
            case 'd' -> isDigit(actual);
            case 'T' -> actual == 'T' || actual == ' ';
            default -> actual == PATTERN.charAt(index);
          };
      if (!matches) {
        return -1;
      }
    }
    if (length == text.length() || text.at(length) != '.') {
      return length;
    }
    int end = length + 1;
    while (end < text.length() && isDigit(text.at(end))) {
      end++;
    }
    return end > length + 1 ? end : -1;
  }

  private static boolean isDigit(byte character) {
    return character >= '0' && character <= '9';
  }
}
