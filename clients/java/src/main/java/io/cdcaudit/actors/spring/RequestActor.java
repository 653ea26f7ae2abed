package io.cdcaudit.actors.spring;

import jakarta.servlet.http.HttpServletRequest;

/** Tells who acts in a request. Declare a bean of this type where {@code getRemoteUser()} is not the name that you want. */
@FunctionalInterface
public interface RequestActor {
  /** The actor, or null while nobody is signed in. It is asked before each statement. */
  String of(HttpServletRequest request);
}
