package io.cdcaudit.transformer.event;

/**
 * What an event says beside the row.
 *
 * @param actor who acted, or null
 * @param requestId the request or job that acted, or null
 * @param details a JSON text in UTF-8, or null
 */
public record Context(String actor, String requestId, byte[] details) {

  public static final Context NONE = new Context(null, null, null);
}
