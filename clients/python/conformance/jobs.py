"""A Celery worker of this process, whose tasks do the steps of the suite."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker

from cdc_audit.celery import carry_actors

Steps = list[dict[str, Any]]


class Jobs:
    """Hands steps to a worker that was started outside every request."""

    def __init__(self, do: Callable[[Steps], None]) -> None:
        carry_actors()
        app = Celery("conformance", broker="memory://", backend="cache+memory://")
        app.conf.update(broker_connection_retry_on_startup=False, worker_hijack_root_logger=False)
        logging.disable(logging.INFO)

        @app.task(name="do_steps")
        def do_steps(steps: Steps) -> None:
            do(steps)

        self._task = do_steps
        self._worker = ExitStack()
        self._worker.enter_context(start_worker(app, pool="threads", concurrency=4, perform_ping_check=False))

    def run(self, steps: Steps) -> None:
        """Waits for their end, and raises what they raised."""
        self._task.delay(steps).get(timeout=60)

    def stop(self) -> None:
        self._worker.close()
