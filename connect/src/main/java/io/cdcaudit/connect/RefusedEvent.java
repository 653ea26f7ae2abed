package io.cdcaudit.connect;

/**
 * What the converter returns for an event that the table cannot hold. The task sends it to the
 * dead-letter topic, and commits no later offset before the topic has it. If the converter threw an
 * exception instead, Connect would set the event aside without waiting.
 *
 * @param reason names the field, the shape of its value and what is allowed, but never the value
 */
record RefusedEvent(String reason) {}
