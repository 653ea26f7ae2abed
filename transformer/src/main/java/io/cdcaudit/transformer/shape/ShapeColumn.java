package io.cdcaudit.transformer.shape;

/**
 * A column as catalog signals and catalog entries describe it.
 *
 * @param type PostgreSQL's {@code format_type} without modifiers
 * @param ignored a change of this column alone makes no event
 * @param redacted its values are never shown
 */
public record ShapeColumn(String name, String type, boolean ignored, boolean redacted) {}
