"""A superuser's look at the signals that name the changes of a test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
import pytest


class Named(NamedTuple):
    """What one signal says: ``application`` is the session's user, so nobody announced."""

    actor: str
    request_id: str | None = None
    reason: str | None = None


@pytest.fixture(scope="session")
def admin() -> Iterator[psycopg.Connection]:
    with psycopg.connect(os.environ["ADMIN_DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def names(admin: psycopg.Connection) -> Callable[[], list[Named]]:
    """Takes the names that were signalled since the last call or the test's beginning, in order."""
    admin.execute("TRUNCATE public.items, shop.customers, capture.signal")

    def take() -> list[Named]:
        rows = admin.execute("SELECT kind, body_1, body_2 FROM capture.signal WHERE kind IN ('session', 'context') ORDER BY ctid")
        named = [_named(*row) for row in rows]
        admin.execute("TRUNCATE capture.signal")
        return named

    return take


def _named(kind: str, first: str, second: str | None) -> Named:
    if kind == "session":
        return Named(first, second)
    body = json.loads(first)
    return Named(body["actor"], body.get("request_id"), body["context"].get("reason"))


@pytest.fixture
def rows(admin: psycopg.Connection) -> Callable[[], list[str]]:
    """The rows that are there."""
    return lambda: [row[0] for row in admin.execute("SELECT id FROM public.items ORDER BY id")]
