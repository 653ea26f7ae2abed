"""Who acts in the running code: a context variable, so that each thread and each task has its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

ANNOUNCE = "SELECT capture.announce(%s::text, %s::text, %s::jsonb)"
"""The statement of drivers that mark parameters by ``%s``; a :class:`Words` has its parameters."""


class Words(NamedTuple):
    """The arguments of ``capture.announce``. Without an actor they say that nobody acts from here on."""

    actor: str | None
    request_id: str | None
    context: str


NOBODY = Words(None, None, "{}")


class Act:
    """One request or job: who does it, and why.

    :param actor: a user name or a job's name, at most 600 characters, or a function that tells it. The function is asked
        before each statement, so that it may know more later. ``None`` or an empty text: nobody is known, also where an
        outer act has a name.
    :param request_id: what joins several transactions into one act, at most 1,000 characters.
    :param context: more facts, such as ``{"reason": "refund"}``: JSON of at most 16,000 characters.
    """

    def __init__(
        self,
        actor: str | Callable[[], str | None] | None = None,
        request_id: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.actor = actor
        self.request_id = request_id
        self._context = json.dumps(dict(context or {}))

    @property
    def context(self) -> dict[str, Any]:
        """A copy of the facts."""
        facts: dict[str, Any] = json.loads(self._context)
        return facts

    @context.setter
    def context(self, facts: Mapping[str, Any]) -> None:
        self._context = json.dumps(dict(facts))

    def words(self) -> Words | None:
        """What to announce; ``None``, nothing, for the statements that find out who acts."""
        if _asking.get() is self:
            return None
        actor = self._ask(self.actor) if callable(self.actor) else self.actor
        return Words(actor, self.request_id, self._context) if actor else NOBODY

    def _ask(self, tell: Callable[[], str | None]) -> str | None:
        # Who is signed in may be read from the database: those statements come here as well.
        token = _asking.set(self)
        try:
            return tell()
        finally:
            _asking.reset(token)


_act: ContextVar[Act | None] = ContextVar("cdc_audit_act", default=None)
# The act whose function is being asked here. Other threads of the same act write in the meantime, and have a name.
_asking: ContextVar[Act | None] = ContextVar("cdc_audit_asking", default=None)


def current() -> Act | None:
    """The act that the running code belongs to."""
    return _act.get()


def current_words() -> Words | None:
    """What the running code would announce; ``None`` outside every act, where nothing is known, not even that nobody acts."""
    act = _act.get()
    return act.words() if act else None


@contextmanager
def acting(
    actor: str | Callable[[], str | None] | None = None,
    request_id: str | None = None,
    context: Mapping[str, Any] | None = None,
) -> Iterator[Act]:
    """Runs a block as an act of its own; the parameters are those of :class:`Act`. The outer act goes on behind it."""
    act = Act(actor, request_id, context)
    token = _act.set(act)
    try:
        yield act
    finally:
        _act.reset(token)


def identify(actor: str, context: Mapping[str, Any] | None = None) -> None:
    """Names the actor of the current act, for changes from here on: to be called where a user is signed in.

    :param context: facts to add to those of the act.
    :raises RuntimeError: outside every act.
    """
    act = _act.get()
    if act is None:
        raise RuntimeError(
            f"identify({actor!r}) was called outside every act. Add the package's middleware, or open one by "
            "`with acting(...)`."
        )
    act.actor = actor
    if context:
        act.context = {**act.context, **context}
