package io.cdcaudit.connect;

import static org.assertj.core.api.Assertions.assertThat;

import io.cdcaudit.connect.fixture.Repository;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the ZIP that MSK Connect loads must hold, and what would break the worker that loads it. */
class PluginArchiveIT {
  private static final int JAVA_17 = 61;

  private static final List<String> files = new ArrayList<>();
  private static final List<String> tooNewClasses = new ArrayList<>();

  @BeforeAll
  static void readArchive() throws IOException {
    try (ZipInputStream entries =
        new ZipInputStream(
            Files.newInputStream(Repository.target().resolve("audit-sink-plugin.zip")))) {
      for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
        files.add(entry.getName());
        if (entry.getName().endsWith(".jar")) {
          readClasses(entries);
        }
      }
    }
  }

  private static void readClasses(InputStream jar) throws IOException {
    ZipInputStream entries = new ZipInputStream(jar); // Closing it would close the archive.
    for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
      // A folder of META-INF/versions is read only by the Java that it names.
      if (entry.getName().endsWith(".class") && !entry.getName().startsWith("META-INF/")) {
        byte[] header = entries.readNBytes(8);
        if (header[7] > JAVA_17) {
          tooNewClasses.add(entry.getName());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "audit-sink-0\\..*", "debezium-connector-jdbc-.*", "postgresql-.*",
        "aws-advanced-jdbc-wrapper-.*", "secretsmanager-.*", "url-connection-client-.*",
        "jackson-databind-3\\..*", "LICENSE.txt"
      })
  void itHolds(String pattern) {
    assertThat(files).filteredOn(file -> file.matches("audit-sink/" + pattern)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // The worker's own, which a second copy would split in two.
        "kafka-clients",
        "connect-api",
        "connect-runtime",
        "connect-json",
        "slf4j",
        "log4j",
        "zstd",
        "lz4",
        "snappy",
        // MSK Connect brings it; a second class loader gives "Unsupported callback type".
        "aws-msk-iam-auth",
        // Hibernate finds its modules and fails; Jackson 3 uses the annotations of Jackson 2, and
        // only those.
        "jackson-core-2",
        "jackson-databind-2",
        "jackson-module",
        "jackson-datatype",
        // Not used.
        "mysql-connector",
        "mariadb-java-client",
        "mssql-jdbc",
        "ojdbc",
        "db2",
        "netty",
        "httpclient",
        "apache5-client"
      })
  void itDoesNotHold(String name) {
    assertThat(files).filteredOn(file -> file.startsWith("audit-sink/" + name)).isEmpty();
  }

  @Test
  void itHoldsEachLibraryOnce() {
    List<String> libraries = files.stream().map(file -> file.replaceFirst("-\\d.*", "")).toList();
    assertThat(libraries)
        .allSatisfy(library -> assertThat(Collections.frequency(libraries, library)).isOne());
  }

  @Test
  void itRunsOnTheJavaOfMskConnect() {
    assertThat(tooNewClasses).isEmpty();
  }

  @Test
  void itsEntriesCarryOneFixedTimeSoThatItsHashIsStable() throws IOException {
    try (ZipInputStream entries =
        new ZipInputStream(
            Files.newInputStream(Repository.target().resolve("audit-sink-plugin.zip")))) {
      for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
        assertThat(entry.getTimeLocal()).as(entry.getName()).isEqualTo("2026-01-01T00:00:00");
      }
    }
  }
}
