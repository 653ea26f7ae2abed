"""A middleware for FastAPI, Starlette and every other ASGI application.

    app.add_middleware(ActorMiddleware)
    identify(user.name)  # in the dependency that signs the user in
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._act import acting

__all__ = ["ActorMiddleware"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ActorMiddleware:
    """Runs each request and each web socket as an act of its own.

    :param actor: tells who acts from the ASGI scope, such as ``lambda scope: scope["user"].display_name``; it is asked
        before each statement. Without it nobody is known until ``identify`` is called, in an endpoint or a dependency.
    """

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Awaitable[None]],
        actor: Callable[[Scope], str | None] | None = None,
    ) -> None:
        self.app = app
        self.actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        actor = self.actor
        with acting(None if actor is None else lambda: actor(scope), _request_id(scope)):
            await self.app(scope, receive, send)


def _request_id(scope: Scope) -> str:
    """The header ``X-Request-ID``, or a new UUID."""
    for name, value in scope.get("headers", ()):
        if name.lower() == b"x-request-id" and value:
            return str(value[:1000].decode("latin-1"))
    return str(uuid.uuid4())
