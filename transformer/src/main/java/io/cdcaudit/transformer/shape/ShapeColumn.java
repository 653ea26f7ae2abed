package io.cdcaudit.transformer.shape;

/**
 * A column as catalog signals and catalog entries describe it.
 *
 * @param type PostgreSQL's {@code format_type} without modifiers
 * @param isVirtual whether it is computed when it is read; its values are in no row
 * @param isShortened whether it is a numeric without a precision, of which DMS carries a part
 * @param ignored a change of this column alone makes no event
 * @param redacted its values are never shown
 */
public record ShapeColumn(
    String name,
    String type,
    boolean isVirtual,
    boolean isShortened,
    boolean ignored,
    boolean redacted) {

  /** A column whose values the rows hold and DMS carries. */
  public ShapeColumn(String name, String type, boolean ignored, boolean redacted) {
    this(name, type, false, false, ignored, redacted);
  }
}
