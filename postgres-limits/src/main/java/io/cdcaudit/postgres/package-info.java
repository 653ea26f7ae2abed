/**
 * What a PostgreSQL column can hold. The transformer and the sink both ask: the transformer to
 * write only what the table takes, the sink because anybody may write to its topic.
 *
 * <p>Both modules compile this folder into their own jar. So each still builds alone, and no third
 * jar has to be installed, packed into the plugin or copied into the image.
 */
package io.cdcaudit.postgres;
