#!/usr/bin/env bash
# Apache Kafka Connect 4.3.1, JsonConverter (connect-json).
# The converter raises nothing when a JSON number does not fit. Without schemas 12345678901234567890 becomes
# -6101065172474983726 (not a BigInteger, a double or an error). With a schema, a too large int32 wraps, 1.9 becomes 1,
# and a value of another kind becomes 0, false or null: "7" in an int64 field is 0.
# Why it matters: no error means no dead letter. A numeric key or an amount arrives in the log as another number.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
cat >pom.xml <<'EOF'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
EOF
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib >maven.log 2>&1 ||
  { cat maven.log; exit 2; }

cat >Finding.java <<'EOF'
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.connect.json.JsonConverter;

public class Finding {
  static Object read(JsonConverter converter, String json) {
    return converter.toConnectData("topic", json.getBytes(StandardCharsets.UTF_8)).value();
  }

  static Object typed(JsonConverter converter, String type, String value) {
    Object read = read(converter, "{\"schema\":{\"type\":\"" + type + "\"},\"payload\":" + value + "}");
    System.out.println(type + " field, " + value + " -> " + read);
    return read;
  }

  public static void main(String[] arguments) {
    JsonConverter plain = new JsonConverter();
    plain.configure(Map.of("schemas.enable", "false"), false);
    Object id = ((Map<?, ?>) read(plain, "{\"id\":12345678901234567890}")).get("id");
    System.out.println("no schema, 12345678901234567890 -> " + id + " (" + id.getClass().getSimpleName() + ")");
    JsonConverter converter = new JsonConverter();
    converter.configure(Map.of("schemas.enable", "true"), false);
    boolean holds = id.equals(-6101065172474983726L)
        & typed(converter, "int32", "3000000000").equals(-1294967296)
        & typed(converter, "int32", "1.9").equals(1)
        & typed(converter, "int64", "\"7\"").equals(0L)
        & typed(converter, "boolean", "\"true\"").equals(false)
        & typed(converter, "string", "7") == null;
    System.out.println(holds ? "The surprise holds." : "This has changed.");
    System.exit(holds ? 0 : 1);
  }
}
EOF
java -cp "lib/*" Finding.java 2>stderr || {
  code=$?
  if grep -q "Exception\|error:" stderr; then
    cat stderr
    exit 2
  fi
  exit "$code"
}
