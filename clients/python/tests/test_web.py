"""The middleware of ASGI applications, and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from fastapi import Depends, FastAPI

from cdc_audit import acting, identify
from cdc_audit._act import current_words
from cdc_audit.asgi import ActorMiddleware
from cdc_audit.celery import carry_actors


def sign_in(token: str) -> str:
    """A synchronous dependency: FastAPI runs it in another thread than the endpoint."""
    identify(token)
    return token


def application(**options: Any) -> Callable[..., list[Any]]:
    app = FastAPI()
    app.add_middleware(ActorMiddleware, **options)

    @app.get("/async", dependencies=[Depends(sign_in)])
    async def asynchronous() -> tuple[str | None, ...]:
        await asyncio.sleep(0.001)
        return tuple(current_words() or ())[:2]

    @app.get("/sync", dependencies=[Depends(sign_in)])
    def synchronous() -> tuple[str | None, ...]:
        return tuple(current_words() or ())[:2]

    @app.get("/open")
    def nobody() -> tuple[str | None, ...]:
        return tuple(current_words() or ())[:2]

    def get(path: str, **headers: str) -> list[Any]:
        async def answer() -> list[str]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                return (await client.get(path, headers=headers)).json()

        return asyncio.run(answer())

    return get


@pytest.mark.parametrize("path", ["/async", "/sync"])
def test_a_dependency_names_the_actor_of_the_endpoint(path: str) -> None:
    get = application()
    assert get(f"{path}?token=mia", **{"X-Request-ID": "r-1"}) == ["mia", "r-1"]
    actor, request_id = get(f"{path}?token=noah")
    assert actor == "noah" and len(request_id) == 36


def test_a_request_that_nobody_is_signed_in_for_has_no_name() -> None:
    assert application()("/open") == [None, None]


def test_the_scope_may_tell_the_actor() -> None:
    assert application(actor=lambda scope: scope["path"])("/open")[0] == "/open"


def test_a_task_runs_as_the_one_who_sent_it_and_the_next_as_nobody() -> None:
    app = Celery("test", broker="memory://", backend="cache+memory://")
    app.conf.broker_connection_retry_on_startup = False

    @app.task
    def outer() -> list[Any]:
        return list(current_words() or ())

    carry_actors()
    carry_actors()
    with start_worker(app, pool="solo", perform_ping_check=False):
        with acting("mia", "r-1", {"reason": "refund"}):
            sent = outer.delay()
        assert sent.get(timeout=10) == ["mia", "r-1", '{"reason": "refund"}']
        assert outer.delay().get(timeout=10) == []
        with acting(None):
            assert outer.delay().get(timeout=10) == []
    with acting("mia"):
        assert outer.apply().get()[0] == "mia"
        assert current_words() is not None
