"""The conformance suite's protocol: what README.md of clients/conformance asks of a driver, for any Python client.

A client is an object with a few operations on a framework, synchronous (:func:`serve`) or asynchronous
(:func:`serve_async`, in protocol_async.py). The steps are walked here.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from cdc_audit import acting, current

from jobs import Jobs

LOCK = "LOCK TABLE public.items IN SHARE ROW EXCLUSIVE MODE"
Step = dict[str, Any]


class Undone(Exception):
    """Ends a transaction or savepoint that the suite wants rolled back, or whose statement failed as it was to."""


class Client(Protocol):
    """A framework. ``within`` is what ``transaction`` gave, or ``None`` for a bare statement."""

    driver: str
    cannot: dict[str, str]

    def open(self, pool: int) -> None: ...

    def close(self) -> None: ...

    def request(self, request: Step, do: Callable[[], None]) -> None:
        """Does a request's steps in its scope, as a middleware opens it."""

    def lost(self, do: Callable[[], None]) -> None:
        """Does steps where the context of the request is gone."""

    def transaction(self, read_only: bool, isolation: str | None) -> AbstractContextManager[Any]: ...

    def savepoint(self, within: Any) -> AbstractContextManager[Any]: ...

    def insert(self, within: Any, row: str) -> None: ...

    def update(self, within: Any, row: str) -> None: ...

    def delete(self, within: Any, row: str) -> None: ...

    def sql(self, within: Any, text: str) -> None: ...

    def read(self, within: Any) -> None: ...


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def batches() -> Iterator[dict[str, Any]]:
    """What the suite asks for, until its end."""
    for line in sys.stdin:
        yield json.loads(line)


class Threaded:
    """What frameworks without a scope and a thread of their own for each request have in common."""

    def __init__(self) -> None:
        # Threads that exist before every request, as those of a library's own.
        self._outside = ThreadPoolExecutor(8)
        list(self._outside.map(time.sleep, [0.05] * 8))

    def request(self, request: Step, do: Callable[[], None]) -> None:
        with acting(request["actor"], request.get("request_id"), request.get("context")):
            do()

    def lost(self, do: Callable[[], None]) -> None:
        self._outside.submit(do).result()


@contextmanager
def acting_for(actor: str | None) -> Iterator[None]:
    """Another actor in the same request, or nobody."""
    act = current()
    with acting(actor, act.request_id if act else None, act.context if act else None):
        yield


class Walker:
    """Does the steps of requests with a client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.jobs = Jobs(self.request_steps)

    def batch(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        requests = batch["requests"]
        if not batch["concurrent"]:
            return [error for place, request in enumerate(requests) for error in self._request(place, request)]
        with ThreadPoolExecutor(min(len(requests), 64)) as threads:
            found = threads.map(self._request, range(len(requests)), requests)
            return [error for errors in found for error in errors]

    def _request(self, place: int, request: Step) -> list[dict[str, Any]]:
        try:
            self.client.request(request, lambda: self.request_steps(request["steps"]))
        except Exception as error:
            return [{"request": place, "message": f"{type(error).__name__}: {error}"}]
        return []

    def request_steps(self, steps: list[Step]) -> None:
        for step in steps:
            try:
                self._step(step, None)
            except Undone:
                pass

    def _steps(self, steps: list[Step], within: Any) -> None:
        for step in steps:
            self._step(step, within)

    def _step(self, step: Step, within: Any) -> None:
        client = self.client
        match step:
            case {"transaction": steps}:
                self._block(client.transaction(step.get("readOnly", False), step.get("isolation")), steps, step)
            case {"savepoint": steps}:
                self._block(client.savepoint(within), steps, step)
            case {"as": actor, "steps": steps}:
                with acting_for(actor):
                    self._steps(steps, within)
            case {"lost": steps}:
                client.lost(lambda: self._lost(steps, within))
            case {"job": steps}:
                self.jobs.run(steps)
            case {"wait": milliseconds}:
                time.sleep(milliseconds / 1000)
            case _:
                self._statement(step, within)

    def _block(self, block: AbstractContextManager[Any], steps: list[Step], step: Step) -> None:
        try:
            with block as within:
                self._steps(steps, within)
                if step.get("rollback"):
                    raise Undone
        except Undone:
            pass

    def _lost(self, steps: list[Step], within: Any) -> None:
        assert current() is None
        if within is None:
            self.request_steps(steps)
        else:
            self._steps(steps, within)

    def _statement(self, step: Step, within: Any) -> None:
        client = self.client
        match step:
            case {"insert": row}:
                client.insert(within, row)
            case {"update": row}:
                client.update(within, row)
            case {"delete": row}:
                client.delete(within, row)
            case {"sql": text}:
                client.sql(within, text)
            case {"read": True}:
                client.read(within)
            case {"lock": True}:
                client.sql(within, LOCK)
            case {"fail": True}:
                try:
                    client.sql(within, "SELECT 1/0")
                except Exception as error:
                    raise Undone from error
            case _:
                raise ValueError(f"The driver does not know the step {step}.")


def serve(client: Client) -> None:
    """Answers the suite until its input ends."""
    walker = Walker(client)
    pool: int | None = None
    say({"driver": client.driver, "cannot": client.cannot})
    for batch in batches():
        if batch["fresh"] or batch["pool"] != pool:
            if pool is not None:
                client.close()
            pool = batch["pool"]
            client.open(batch["pool"])
        say({"id": batch["id"], "errors": walker.batch(batch)})
    if pool is not None:
        client.close()
    walker.jobs.stop()
