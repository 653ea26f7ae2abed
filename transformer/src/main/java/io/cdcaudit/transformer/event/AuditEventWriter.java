package io.cdcaudit.transformer.event;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.record.Commit;
import io.cdcaudit.transformer.record.Timestamp;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes audit events as they are on the topic: one JSON object whose members are the columns of
 * the audit table that are not null. For one thread: it reuses its buffer.
 */
public final class AuditEventWriter {

  private final byte[] sourceId;
  private final JsonOutput output = new JsonOutput();

  public AuditEventWriter(String sourceId) {
    this.sourceId = new JsonOutput().writeAscii(",\"source_id\":").writeString(sourceId).toBytes();
  }

  /** The table's name and the record's key, so that the events of a record stay in order. */
  public byte[] key(AuditEvent event) {
    byte[] table = event.table().toString().getBytes(StandardCharsets.UTF_8);
    byte[] recordKey = event.images().key();
    if (recordKey == null) {
      return table;
    }
    output.clear();
    return output.write(table).write(' ').write(recordKey).toBytes();
  }

  public byte[] value(AuditEvent event, Timestamp transformedAt) {
    output.clear();
    output.writeAscii("{\"committed_at\":\"").writeAscii(event.committedAt().text()).write('"');
    output.writeAscii(",\"event_id\":\"").writeAscii(event.id().toString()).write('"');
    output.write(sourceId);
    Commit commit = event.commit();
    if (commit != null) {
      output.writeAscii(",\"transaction_id\":").writeNumber(commit.transactionId());
      output.writeAscii(",\"sequence\":").writeNumber(commit.sequence());
      output.writeAscii(",\"position\":").writeString(commit.streamPosition());
    }
    output.writeAscii(",\"stream_order\":").writeNumber(event.streamOrder());
    output.writeAscii(",\"operation\":\"").writeAscii(event.operation().word()).write('"');
    output.writeAscii(",\"schema_name\":").writeString(event.table().schema());
    output.writeAscii(",\"table_name\":").writeString(event.table().table());
    writeText("partition_name", event.partition());
    RowImages images = event.images();
    writeJson("record_key", images.key());
    writeJson("before", images.before());
    writeJson("before_patches", images.beforePatches());
    writeJson("after", images.after());
    writeNames("unknown_columns", images.unknownColumns());
    writeNames("untyped_columns", images.untypedColumns());
    Context context = event.context();
    writeText("actor", context.actor());
    writeText("request_id", context.requestId());
    writeJson("context", context.details());
    output.writeAscii(",\"captured_at\":\"").writeAscii(event.capturedAt().text()).write('"');
    output.writeAscii(",\"transformed_at\":\"").writeAscii(transformedAt.text()).writeAscii("\"}");
    return output.toBytes();
  }

  private void writeJson(String column, byte[] json) {
    if (json != null) {
      writeColumn(column);
      output.write(json);
    }
  }

  private void writeText(String column, String text) {
    if (text != null) {
      writeColumn(column);
      output.writeString(text);
    }
  }

  private void writeNames(String column, List<String> names) {
    if (!names.isEmpty()) {
      writeColumn(column);
      char separator = '[';
      for (String name : names) {
        output.write(separator).writeString(name);
        separator = ',';
      }
      output.write(']');
    }
  }

  private void writeColumn(String column) {
    output.writeAscii(",\"").writeAscii(column).writeAscii("\":");
  }
}
