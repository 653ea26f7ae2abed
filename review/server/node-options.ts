/**
 * How Node runs the page's server, here, in its image and when it is measured. Its answers are short-lived: with V8's usual
 * young space, which grows to three times 32 MiB, they alone would take most of the memory that the server may have.
 */
export const nodeOptions = ["--max-semi-space-size=4"] as const;
