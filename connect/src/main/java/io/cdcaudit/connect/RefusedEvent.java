package io.cdcaudit.connect;

/**
 * What the converter gives in place of an event that the table cannot hold. The task sets it aside,
 * and commits no offset behind it before the dead-letter topic has it; what a converter throws,
 * Connect sets aside without waiting.
 *
 * @param reason names the field, the shape of its value and what is allowed, but never the value
 */
record RefusedEvent(String reason) {}
