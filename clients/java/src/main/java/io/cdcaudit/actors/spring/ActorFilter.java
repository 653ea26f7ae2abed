package io.cdcaudit.actors.spring;

import io.cdcaudit.actors.Acting;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.UUID;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Runs each request as an act of its own. The header {@code X-Request-ID} is its identifier; without one it gets a new UUID.
 */
public final class ActorFilter extends OncePerRequestFilter {
  private final RequestActor actor;

  /** Takes who knows the actor of a request. */
  public ActorFilter(RequestActor actor) {
    this.actor = actor;
  }

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    try (var scope = Acting.asKnownBy(() -> actor.of(request), requestId(request))) {
      chain.doFilter(request, response);
    }
  }

  private static String requestId(HttpServletRequest request) {
    String given = request.getHeader("X-Request-ID");
    if (given == null || given.isBlank()) return UUID.randomUUID().toString();
    return given.substring(0, Math.min(given.length(), 1000));
  }
}
