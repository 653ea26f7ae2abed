package io.cdcaudit.transformer.record;

import java.util.HashMap;
import java.util.Map;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.io.SerializedString;

/**
 * The names of members, each with the one that followed it last time. Records of a table repeat
 * their names in the same order, and to compare a name's bytes with those of the likely one costs
 * half of looking it up. For one thread.
 */
final class MemberNames {
  /** So that records of ever new names can't fill the memory. */
  private static final int MOST = 10_000;

  /** A name, as the parser has it and as bytes. */
  static final class Name {
    private final SerializedString text;
    private Name next;

    private Name(SerializedString text) {
      this.text = text;
    }

    /** The name's text. Equal names are identical. */
    String text() {
      return text.getValue();
    }

    /** What likely follows; null when nothing is known. */
    SerializedString likelyNext() {
      return next == null ? null : next.text;
    }
  }

  private final Map<String, Name> names = new HashMap<>();
  private final Name beginning = new Name(null);

  /** Stands before the first member of an object. */
  Name beginning() {
    return beginning;
  }

  /** Moves the parser on to the next member; null at the object's end. */
  Name next(JsonParser parser, Name previous) {
    SerializedString likely = previous.likelyNext();
    if (likely == null) {
      parser.nextToken();
      return current(parser, previous);
    }
    return parser.nextName(likely) ? previous.next : current(parser, previous);
  }

  /** The member that the parser stands on; null at the object's end. */
  Name current(JsonParser parser, Name previous) {
    if (parser.currentToken() != JsonToken.PROPERTY_NAME) {
      return null;
    }
    String text = parser.currentName();
    Name likely = previous.next;
    if (likely != null && likely.text().equals(text)) {
      return likely;
    }
    Name name = names.get(text);
    if (name == null) {
      if (names.size() >= MOST) {
        names.clear();
      }
      name = new Name(new SerializedString(text));
      names.put(text, name);
    }
    previous.next = name;
    return name;
  }
}
