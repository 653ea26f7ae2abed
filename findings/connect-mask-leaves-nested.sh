#!/usr/bin/env bash
# Apache Kafka Connect 4.3.1, the MaskField transformation (connect-transforms).
# MaskField with fields=after.ssn on a change envelope masks nothing and raises nothing. On a record with a schema it
# passes the value on as it is; on one without a schema it also ADDS a new field "after.ssn" with null beside it.
# Why it matters: change records are nested (before, after). The setting reads right, the connector runs, the added null
# even looks like a mask, and the personal value goes into the log.
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
    <dependency><groupId>org.apache.kafka</groupId><artifactId>connect-transforms</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
EOF
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib >maven.log 2>&1 ||
  { cat maven.log; exit 2; }

cat >Finding.java <<'EOF'
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.MaskField;

public class Finding {
  public static void main(String[] arguments) {
    MaskField<SourceRecord> mask = new MaskField.Value<>();
    mask.configure(Map.of("fields", "after.ssn"));

    Schema row = SchemaBuilder.struct().field("ssn", Schema.STRING_SCHEMA).build();
    Schema envelope = SchemaBuilder.struct().field("after", row).build();
    Struct change = new Struct(envelope).put("after", new Struct(row).put("ssn", "123-45-6789"));
    Object typed = mask.apply(new SourceRecord(null, null, "changes", envelope, change)).value();
    System.out.println("with a schema:    " + typed);

    Map<String, Object> plainChange = Map.of("after", Map.of("ssn", "123-45-6789"));
    Map<?, ?> plain = (Map<?, ?>) mask.apply(new SourceRecord(null, null, "changes", null, plainChange)).value();
    System.out.println("without a schema: " + plain);

    boolean holds = typed.toString().contains("123-45-6789")
        && plain.get("after").toString().contains("123-45-6789")
        && plain.containsKey("after.ssn");
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
