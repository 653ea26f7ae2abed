package io.cdcaudit.transformer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;

/** A Kafka broker in this process, on 127.0.0.1. */
public final class LocalBroker implements AutoCloseable {

  private final int port = freePort();
  private final KafkaRaftServer server;
  private final Admin admin;
  private final KafkaProducer<byte[], byte[]> producer;

  public LocalBroker(Path folder) throws IOException {
    int controllerPort = freePort();
    Map<String, String> settings = new HashMap<>();
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", "1");
    settings.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    settings.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d".formatted(port, controllerPort));
    settings.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
    settings.put("controller.listener.names", "CONTROLLER");
    settings.put("log.dirs", folder.resolve("log").toString());
    settings.put("offsets.topic.replication.factor", "1");
    settings.put("offsets.topic.num.partitions", "1");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("auto.create.topics.enable", "false");
    format(folder, settings);
    server = new KafkaRaftServer(KafkaConfig.fromProps(properties(settings)), Time.SYSTEM);
    server.startup();
    admin = Admin.create(Map.of("bootstrap.servers", address()));
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", address(), "max.request.size", 1 << 24),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  public String address() {
    return "127.0.0.1:" + port;
  }

  /** Closed with the broker. */
  public Admin admin() {
    return admin;
  }

  /** Closed with the broker. */
  public KafkaProducer<byte[], byte[]> producer() {
    return producer;
  }

  @Override
  public void close() {
    producer.close();
    admin.close();
    server.shutdown();
    server.awaitShutdown();
  }

  private static void format(Path folder, Map<String, String> settings) throws IOException {
    Path file = folder.resolve("server.properties");
    try (PrintStream lines = new PrintStream(Files.newOutputStream(file))) {
      settings.forEach((name, value) -> lines.println(name + "=" + value));
    }
    String[] arguments = {
      "format", "--cluster-id", Uuid.randomUuid().toString(), "--config", file.toString()
    };
    int result = StorageTool.execute(arguments, new PrintStream(new ByteArrayOutputStream()));
    if (result != 0) {
      throw new IOException("formatting the broker's storage ended with " + result);
    }
  }

  private static Properties properties(Map<String, String> settings) {
    Properties properties = new Properties();
    properties.putAll(settings);
    return properties;
  }

  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException none) {
      throw new IllegalStateException(none);
    }
  }
}
