package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.Text;

/** One pass over an array literal as PostgreSQL's {@code array_out} writes it. */
final class ArrayLiteral {

  /** PostgreSQL's own limit. */
  private static final int MOST_DIMENSIONS = 6;

  /** Equal to no byte. */
  private static final int END = -1_000;

  private final Text literal;
  private final ScalarType element;
  private final JsonOutput output;
  private int index;

  ArrayLiteral(Text literal, ScalarType element, JsonOutput output) {
    this.literal = literal;
    this.element = element;
    this.output = output;
  }

  /** Whether the whole literal was read and written. */
  boolean write() {
    return writeArray(1) && index == literal.length();
  }

  private boolean writeArray(int dimension) {
    if (dimension > MOST_DIMENSIONS || !skip('{')) {
      return false;
    }
    output.write('[');
    if (!skip('}')) {
      do {
        boolean written = peek() == '{' ? writeArray(dimension + 1) : writeElement();
        if (!written) {
          return false;
        }
        if (peek() == ',') {
          output.write(',');
        }
      } while (skip(','));
      if (!skip('}')) {
        return false;
      }
    }
    output.write(']');
    return true;
  }

  private boolean writeElement() {
    if (peek() == '"') {
      Text quoted = quotedElement();
      return quoted != null && element.writeText(quoted, output) == WriteResult.TYPED;
    }
    Text bare = bareElement();
    if (bare.isAscii("NULL")) {
      output.writeNull();
      return true;
    }
    return bare.length() > 0 && element.writeText(bare, output) == WriteResult.TYPED;
  }

  private Text bareElement() {
    int start = index;
    while (peek() != ','
        && peek() != '}'
        && peek() != '{'
        && peek() != '"'
        && peek() != '\\'
        && peek() != END) {
      index++;
    }
    return new Text(literal.bytes(), literal.start() + start, literal.start() + index);
  }

  /** The element without its quotes and backslashes; null if it does not end. */
  private Text quotedElement() {
    int start = ++index;
    int escapes = 0;
    while (peek() != '"') {
      if (peek() == '\\') {
        escapes++;
        index++;
      }
      if (peek() == END) {
        return null;
      }
      index++;
    }
    Text quoted = new Text(literal.bytes(), literal.start() + start, literal.start() + index++);
    return escapes == 0 ? quoted : withoutBackslashes(quoted, escapes);
  }

  private static Text withoutBackslashes(Text quoted, int escapes) {
    byte[] characters = new byte[quoted.length() - escapes];
    int source = 0;
    for (int target = 0; target < characters.length; target++) {
      if (quoted.at(source) == '\\') {
        source++;
      }
      characters[target] = quoted.at(source++);
    }
    return new Text(characters, 0, characters.length);
  }

  private int peek() {
    return index < literal.length() ? literal.at(index) : END;
  }

  private boolean skip(char expected) {
    if (peek() != expected) {
      return false;
    }
    index++;
    return true;
  }
}
