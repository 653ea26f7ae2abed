package io.cdcaudit.actors;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** Stands between a driver and the server, and counts the trips: how often the driver spoke after the server had. */
final class Relay implements AutoCloseable {
  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final AtomicInteger trips = new AtomicInteger();
  private volatile boolean serverSpoke = true;

  Relay(int serverPort) throws IOException {
    start(() -> {
      while (true) {
        Socket driver = listener.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        start(() -> copy(driver, server, true));
        start(() -> copy(server, driver, false));
      }
    });
  }

  int port() {
    return listener.getLocalPort();
  }

  int tripsSoFar() {
    return trips.get();
  }

  private void copy(Socket from, Socket to, boolean isDriver) throws IOException {
    try (from; to) {
      InputStream input = from.getInputStream();
      OutputStream output = to.getOutputStream();
      byte[] bytes = new byte[65_536];
      for (int count = input.read(bytes); count > 0; count = input.read(bytes)) {
        if (isDriver && serverSpoke) trips.incrementAndGet();
        serverSpoke = !isDriver;
        output.write(bytes, 0, count);
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (IOException closed) {
        // The test is over.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
