package io.cdcaudit.transformer.event;

import java.util.List;

/**
 * A row before and after a change, as JSON texts in UTF-8; null where there is none.
 *
 * @param key the key's columns and values
 * @param beforePatches of changed documents that {@code before} leaves out, the JSON Patch that makes
 *     the old value of the new one
 * @param unknownColumns those whose old or new value the stream did not carry
 * @param untypedColumns those kept as DMS sent them
 */
public record RowImages(
    byte[] key,
    byte[] before,
    byte[] beforePatches,
    byte[] after,
    List<String> unknownColumns,
    List<String> untypedColumns) {

  public static final RowImages NONE = new RowImages(null, null, null, null, List.of(), List.of());
}
