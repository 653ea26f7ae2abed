"""The conformance suite's protocol for asynchronous clients: as protocol.py, with a task for each request."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Any, Protocol



from cdc_audit import acting, current

from jobs import Jobs
from protocol import LOCK, Step, Undone, acting_for, say


class AsyncClient(Protocol):
    """A framework. ``within`` is what ``transaction`` gave, or ``None`` for a bare statement."""

    driver: str
    cannot: dict[str, str]

    async def open(self, pool: int) -> None: ...

    async def close(self) -> None: ...

    def transaction(self, read_only: bool, isolation: str | None) -> AbstractAsyncContextManager[Any]: ...

    def savepoint(self, within: Any) -> AbstractAsyncContextManager[Any]: ...

    async def insert(self, within: Any, row: str) -> None: ...

    async def update(self, within: Any, row: str) -> None: ...

    async def delete(self, within: Any, row: str) -> None: ...

    async def sql(self, within: Any, text: str) -> None: ...

    async def read(self, within: Any) -> None: ...


class AsyncWalker:
    """Does the steps of requests with a client."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        # The worker's threads have no loop: their coroutines go to ours, with the context of the task.
        self.jobs = Jobs(lambda steps: asyncio.run_coroutine_threadsafe(self.request_steps(steps), loop).result())

    async def batch(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        work = [self._request(place, request) for place, request in enumerate(batch["requests"])]
        found = await asyncio.gather(*work) if batch["concurrent"] else [await one for one in work]
        return [error for error in found if error]

    async def _request(self, place: int, request: Step) -> dict[str, Any] | None:
        try:
            with acting(request["actor"], request.get("request_id"), request.get("context")):
                await self.request_steps(request["steps"])
        except Exception as error:
            return {"request": place, "message": f"{type(error).__name__}: {error}"}
        return None

    async def request_steps(self, steps: list[Step]) -> None:
        for step in steps:
            try:
                await self._step(step, None)
            except Undone:
                pass

    async def _steps(self, steps: list[Step], within: Any) -> None:
        for step in steps:
            await self._step(step, within)

    async def _step(self, step: Step, within: Any) -> None:
        client = self.client
        match step:
            case {"transaction": steps}:
                await self._block(client.transaction(step.get("readOnly", False), step.get("isolation")), steps, step)
            case {"savepoint": steps}:
                await self._block(client.savepoint(within), steps, step)
            case {"as": actor, "steps": steps}:
                with acting_for(actor):
                    await self._steps(steps, within)
            case {"lost": steps}:
                await outside(lambda: self.request_steps(steps) if within is None else self._steps(steps, within))
            case {"job": steps}:
                # to_thread carries the context, as Starlette's and Django's bridges do.
                await asyncio.to_thread(self.jobs.run, steps)
            case {"wait": milliseconds}:
                await asyncio.sleep(milliseconds / 1000)
            case _:
                await self._statement(step, within)

    async def _block(self, block: AbstractAsyncContextManager[Any], steps: list[Step], step: Step) -> None:
        try:
            async with block as within:
                await self._steps(steps, within)
                if step.get("rollback"):
                    raise Undone
        except Undone:
            pass

    async def _statement(self, step: Step, within: Any) -> None:
        client = self.client
        match step:
            case {"insert": row}:
                await client.insert(within, row)
            case {"update": row}:
                await client.update(within, row)
            case {"delete": row}:
                await client.delete(within, row)
            case {"sql": text}:
                await client.sql(within, text)
            case {"read": True}:
                await client.read(within)
            case {"lock": True}:
                await client.sql(within, LOCK)
            case {"fail": True}:
                try:
                    await client.sql(within, "SELECT 1/0")
                except Exception as error:
                    raise Undone from error
            case _:
                raise ValueError(f"The driver does not know the step {step}.")


async def outside(do: Callable[[], Awaitable[None]]) -> None:
    """Runs a task in an empty context, like one that a library made before every request."""

    async def task() -> None:
        assert current() is None
        await do()

    await Context().run(asyncio.get_running_loop().create_task, task())


async def answer(client: AsyncClient) -> None:
    walker = AsyncWalker(client, asyncio.get_running_loop())
    pool: int | None = None
    say({"driver": client.driver, "cannot": client.cannot})
    while line := await asyncio.to_thread(sys.stdin.readline):
        batch = json.loads(line)
        if batch["fresh"] or batch["pool"] != pool:
            if pool is not None:
                await client.close()
            pool = batch["pool"]
            await client.open(batch["pool"])
        say({"id": batch["id"], "errors": await walker.batch(batch)})
    if pool is not None:
        await client.close()
    walker.jobs.stop()


def serve_async(client: AsyncClient) -> None:
    """Answers the suite until its input ends."""
    asyncio.run(answer(client))
