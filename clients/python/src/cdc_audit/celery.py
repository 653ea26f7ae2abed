"""Lets the name travel with Celery's tasks: a worker's changes bear the name of the task's sender.

    carry_actors()  # once, where the Celery application is made
"""

from __future__ import annotations

import json
from typing import Any

from celery import signals

from ._act import Act, _act, current, current_words

__all__ = ["carry_actors"]

_HEADER = "cdc_audit_act"


def carry_actors() -> None:
    """Sends each task with the act that sends it, and runs it as that act; repeating it changes nothing.

    A task that nobody sent, such as one of Celery's beat, has no name: open an act in it by ``with acting("job:…")``.
    """
    signals.before_task_publish.connect(_pack, weak=False, dispatch_uid=f"{_HEADER}.pack")
    signals.task_prerun.connect(_unpack, weak=False, dispatch_uid=f"{_HEADER}.unpack")
    signals.task_postrun.connect(_leave, weak=False, dispatch_uid=f"{_HEADER}.leave")


def _pack(headers: dict[str, Any], **_: Any) -> None:
    words = current_words()
    if words is not None and words.actor is not None:
        headers[_HEADER] = json.dumps(words)


def _unpack(task: Any, **_: Any) -> None:
    # An eager task runs within its sender's act.
    if task.request.is_eager:
        return
    packed = task.request.get(_HEADER)
    if packed is None:
        _act.set(None)
        return
    actor, request_id, context = json.loads(packed)
    _act.set(Act(actor, request_id, json.loads(context)))


def _leave(task: Any, **_: Any) -> None:
    if not task.request.is_eager and current() is not None:
        _act.set(None)
