package io.cdcaudit.actors;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the first word of a statement tells. */
final class Statements {
  /** Blanks, comments and brackets. */
  private static final String GAP = "(?:[\\s(]|--[^\\n]*(?:\\n|$)|/\\*(?s:.*?)\\*/)*+";
  private static final Pattern FIRST_WORD = Pattern.compile(GAP + "([A-Za-z]+)");
  private static final Pattern CHANGING_WORD = Pattern.compile("(?i)\\b(insert|update|delete|merge)\\b");
  private static final String STATEMENT = "(?i)(?:^|;)" + GAP;
  private static final Pattern UNDOING = Pattern.compile(STATEMENT
      + "(?:commit|end|abort|rollback|prepare\\s+transaction)\\b");
  private static final Pattern END = Pattern.compile(STATEMENT
      + "(?:(?:commit|end|abort|rollback)(?:\\s+(?:work|transaction))?(?:\\s+and\\s+no\\s+chain)?"
      + "|prepare\\s+transaction\\s+'[^']*')" + GAP + ";?" + GAP + "$");
  private static final Set<String> CHANGING = Set.of("insert", "update", "delete", "merge", "truncate", "copy");
  private static final Set<String> BEGINNING = Set.of("begin", "start");
  private static final Set<String> ENDING = Set.of("commit", "end", "abort", "rollback", "prepare");
  // An announcement takes a snapshot. No isolation level can be set behind one, and a read behind a lock would be too old.
  private static final Set<String> SILENT = Set.of("set", "lock", "reset", "show", "release", "deallocate", "discard");

  private Statements() {}

  /** Whether the name must be announced before this statement of a transaction. */
  static boolean wantsName(String statement) {
    String word = firstWord(statement);
    return !SILENT.contains(word) && !BEGINNING.contains(word) && !ENDING.contains(word);
  }

  /** Whether a statement outside a transaction needs one to bear a name. Statements that refuse a transaction don't. */
  static boolean changesRows(String statement) {
    String word = firstWord(statement);
    return CHANGING.contains(word) || word.equals("with") && CHANGING_WORD.matcher(statement).find();
  }

  static boolean begins(String statement) {
    return BEGINNING.contains(firstWord(statement));
  }

  /** Whether no transaction is open behind this text: COMMIT AND CHAIN begins the next one. */
  static boolean ends(String statement) {
    return END.matcher(statement).find();
  }

  /** Whether it may take back an announcement, as COMMIT does, and ROLLBACK TO a savepoint. */
  static boolean undoesName(String statement) {
    return UNDOING.matcher(statement).find();
  }

  private static String firstWord(String statement) {
    Matcher matcher = FIRST_WORD.matcher(statement);
    return matcher.lookingAt() ? matcher.group(1).toLowerCase(Locale.ROOT) : "";
  }
}
