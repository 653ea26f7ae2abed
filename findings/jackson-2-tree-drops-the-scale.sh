#!/usr/bin/env bash
# Jackson Databind 2.21.7 against 3.2.1.
# With USE_BIG_DECIMAL_FOR_FLOATS, Jackson 2's JsonNode tree still strips zeros: 1.10 is written as 1.1 and 100.00 as
# 1E+2, while the same mapper keeps them when it reads into a Map. Jackson 3's tree keeps them.
# Why it matters: a pass through a tree changes the text of numeric columns, so that hashes of a record, or a comparison
# of before and after, differ between two services that both "use BigDecimal", and between one service's two releases.
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
    <dependency><groupId>tools.jackson.core</groupId><artifactId>jackson-databind</artifactId><version>3.2.1</version></dependency>
    <dependency><groupId>com.fasterxml.jackson.core</groupId><artifactId>jackson-databind</artifactId><version>2.21.7</version></dependency>
  </dependencies>
</project>
EOF
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib >maven.log 2>&1 ||
  { cat maven.log; exit 2; }

cat >Finding.java <<'EOF'
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    String text = "{\"price\":1.10,\"total\":100.00}";
    ObjectMapper jackson2 = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
    JsonMapper jackson3 = JsonMapper.builder()
        .enable(tools.jackson.databind.DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .build();
    String tree2 = jackson2.writeValueAsString(jackson2.readTree(text));
    String map2 = jackson2.writeValueAsString(jackson2.readValue(text, Map.class));
    String tree3 = jackson3.writeValueAsString(jackson3.readTree(text));
    System.out.println("read:            " + text);
    System.out.println("Jackson 2, tree: " + tree2);
    System.out.println("Jackson 2, map:  " + map2);
    System.out.println("Jackson 3, tree: " + tree3);
    boolean holds = tree2.equals("{\"price\":1.1,\"total\":1E+2}")
        && map2.contains("1.10") && map2.contains("100.00") && tree3.equals(text);
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
