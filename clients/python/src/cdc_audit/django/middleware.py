"""The scope of a request."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

from .._act import acting


class ActorMiddleware:
    """Runs each request as an act of its own, in synchronous and asynchronous projects.

    The actor is asked for when a transaction needs it, so that a view may sign a user in, as Django REST framework does. The
    header ``X-Request-ID`` is the request's identifier; without one it gets a new UUID.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        path = getattr(settings, "CDC_AUDIT_ACTOR", None)
        self.actor: Callable[[HttpRequest], str | None] = import_string(path) if path else user_name
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer(request)
        with self._acting(request):
            response: HttpResponseBase = self.get_response(request)
            return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        with self._acting(request):
            response: HttpResponseBase = await self.get_response(request)
            return response

    def _acting(self, request: HttpRequest) -> Any:
        request_id = request.headers.get("X-Request-ID", "")[:1000] or str(uuid.uuid4())
        return acting(lambda: self.actor(request), request_id)


def user_name(request: HttpRequest) -> str | None:
    """The user name of who is signed in."""
    user = getattr(request, "user", None)
    return user.get_username() or None if user is not None else None


__all__ = ["ActorMiddleware", "user_name"]
