package io.cdcaudit.transformer.catalog;

/**
 * A column as a catalog signal and a catalog entry name it.
 *
 * @param type PostgreSQL's {@code format_type} without modifiers
 * @param ignored a change of this column alone makes no event
 * @param redacted its values are never shown
 */
public record CatalogColumn(String name, String type, boolean ignored, boolean redacted) {}
