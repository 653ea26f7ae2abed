import { describe, expect, it } from "vitest";
import { endReason } from "../../../local/machine/end-reason";

describe("why a program ended", () => {
  it.each([
    [
      "the stand-in",
      [
        '{"time":"2026-12-01T00:43:15.447Z","level":"info","event":"streaming"}',
        '{"time":"2026-12-01T00:43:16.000Z","level":"error","event":"failed","reason":"The replication slot x has lost WAL."}',
      ],
      "The replication slot x has lost WAL.",
    ],
    [
      "PostgreSQL",
      [
        "2026-12-01 00:43:29.667 UTC [31832] LOG:  starting PostgreSQL 17",
        '2026-12-01 00:43:29.723 UTC [31831] FATAL:  could not write to file "pg_wal/x": No space left on device',
        "2026-12-01 00:43:29.724 UTC [31831] LOG:  database system is shut down",
      ],
      'could not write to file "pg_wal/x": No space left on device',
    ],
    [
      "the broker",
      [
        "2026-12-01 00:43:29,046 INFO  starting (kafka.server.KafkaServer)",
        "2026-12-01 00:43:29,047 ERROR Exiting Kafka due to fatal exception (kafka.Kafka$)",
        "java.lang.RuntimeException: cannot start",
        "\tat kafka.Kafka$.main(Kafka.scala:1)",
        "Caused by: java.nio.file.FileSystemException: log: Too many open files",
        "\tat java.base/sun.nio.fs.X(Y.java:1)",
        "\t... 3 more",
        "2026-12-01 00:43:29,050 INFO  Metrics reporters closed (Metrics)",
      ],
      "Exiting Kafka due to fatal exception (kafka.Kafka$) (java.nio.file.FileSystemException: log: Too many open files)",
    ],
    [
      "the transformer",
      [
        "2026-12-01T00:43:27.122Z  INFO 32159 --- [main] o.a.kafka.streams.KafkaStreams    : running",
        "2026-12-01T00:43:28.122Z ERROR 32159 --- [stream-thread-1] com.example.Transformer    : The clock was set back by 11 s.",
      ],
      "The clock was set back by 11 s.",
    ],
    [
      "Java",
      ['Exception in thread "main" java.lang.OutOfMemoryError: Java heap space', "\tat x.Y.main(Y.java:1)"],
      "java.lang.OutOfMemoryError: Java heap space",
    ],
  ])("is the last error that %s logged, in its own words", (_, lines, reason) => {
    expect(endReason(`${lines.join("\n")}\n`)).toBe(reason);
  });

  it("is unknown where nothing was logged as an error", () => {
    expect(endReason("2026-12-01 00:43:29,046 INFO  no ERROR here (X)\n")).toBeUndefined();
  });
});
