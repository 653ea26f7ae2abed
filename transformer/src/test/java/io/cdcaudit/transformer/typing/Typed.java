package io.cdcaudit.transformer.typing;

import io.cdcaudit.transformer.json.JsonOutput;
import io.cdcaudit.transformer.json.JsonSlice;
import io.cdcaudit.transformer.samples.Json;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a value was written as. */
record Typed(WriteResult result, String text) {

  /** Of a value that DMS sends as a string. */
  static Typed of(String type, String value) {
    return ofJson(type, quoted(value));
  }

  static Typed ofJson(String type, String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    JsonOutput output = new JsonOutput();
    WriteResult result = ColumnType.of(type).write(new JsonSlice(bytes, 0, bytes.length), output);
    return new Typed(result, new String(output.toBytes(), StandardCharsets.UTF_8));
  }

  JsonNode json() {
    return Json.read(text);
  }

  static String quoted(String value) {
    return JsonMapper.shared().writeValueAsString(value);
  }
}
