"""Connections of psycopg 3 that announce who acts in their transactions.

    pool = ConnectionPool(url, connection_class=AnnouncingConnection)
    with acting("mia"), pool.connection() as connection: ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from ._act import ANNOUNCE, Words, current_words
from ._statement import changes_rows, undoes_name, wants_name

__all__ = [
    "AnnouncingConnection",
    "AnnouncingCursorMixin",
    "AsyncAnnouncingConnection",
    "AsyncAnnouncingCursorMixin",
]

Row = TypeVar("Row")


class _Told:
    """What the transaction of a connection has been told."""

    info: psycopg.ConnectionInfo
    _told: Words | None = None

    def _missing(self, query: Any) -> Words | None:
        """What to announce before a statement; also before a bare write, which needs a transaction for it."""
        statement = query.as_string(None) if isinstance(query, sql.Composable) else _text(query)
        status = self.info.transaction_status
        if status == TransactionStatus.IDLE or undoes_name(statement):
            self._told = None
        words = current_words()
        if status == TransactionStatus.INERROR or words is None or getattr(self, "read_only", None):
            return None
        if self._is_bare():
            return words if changes_rows(statement) else None
        return words if self._is_news(words) and wants_name(statement) else None

    def _is_bare(self) -> bool:
        return bool(getattr(self, "autocommit", False)) and self.info.transaction_status == TransactionStatus.IDLE

    def _is_news(self, words: Words) -> bool:
        # A pipeline doesn't tell where a transaction ends, and an announcement costs it no trip.
        return words != self._told or self.info.transaction_status == TransactionStatus.ACTIVE

    def _before_savepoint(self) -> Words | None:
        if self.info.transaction_status == TransactionStatus.IDLE:
            # It is no savepoint but the transaction itself: what the last one has been told has ended with it.
            self._told = None
            return None
        words = current_words()
        is_sound = self.info.transaction_status != TransactionStatus.INERROR
        return words if is_sound and words is not None and self._is_news(words) else None


def _text(query: Any) -> str:
    return query.decode(errors="replace") if isinstance(query, bytes) else str(query)


class AnnouncingCursorMixin:
    """For cursor classes of your own: put it before the class of psycopg that they extend."""

    connection: Any

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        with self.connection._announced(query):
            return super().execute(query, *args, **options)  # type: ignore[misc]

    def executemany(self, query: Any, *args: Any, **options: Any) -> None:
        with self.connection._announced(query):
            super().executemany(query, *args, **options)  # type: ignore[misc]

    def stream(self, query: Any, *args: Any, **options: Any) -> Iterator[Any]:
        with self.connection._announced(query):
            yield from super().stream(query, *args, **options)  # type: ignore[misc]

    @contextmanager
    def copy(self, statement: Any, *args: Any, **options: Any) -> Iterator[psycopg.Copy]:
        with self.connection._announced(statement), super().copy(statement, *args, **options) as copy:  # type: ignore[misc]
            yield copy


class _Cursor(AnnouncingCursorMixin, psycopg.Cursor[Row]):
    pass


class _ServerCursor(AnnouncingCursorMixin, psycopg.ServerCursor[Row]):
    pass


class AnnouncingConnection(_Told, psycopg.Connection[Row]):
    """A connection whose transactions say who acts before their first statement. A bare write gets one of its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = _Cursor
        self.server_cursor_factory = _ServerCursor

    def cursor(self, *args: Any, **options: Any) -> Any:
        """As in psycopg.

        :raises TypeError: for a cursor class that would announce nobody.
        """
        return _checked(super().cursor(*args, **options), AnnouncingCursorMixin)

    @contextmanager
    def transaction(self, *args: Any, **options: Any) -> Iterator[psycopg.Transaction]:
        """As in psycopg; announces before a savepoint, whose rollback would take the name back."""
        if words := self._before_savepoint():
            self._announce(words)
        with super().transaction(*args, **options) as transaction:
            try:
                yield transaction
            except BaseException:
                self._told = None
                raise
            if transaction.force_rollback:
                self._told = None

    @contextmanager
    def _announced(self, query: Any) -> Iterator[None]:
        words = self._missing(query)
        if words and self._is_bare():
            with super().transaction():
                self._announce(words)
                yield
            return
        if words:
            self._announce(words)
        yield

    def _announce(self, words: Words) -> None:
        # Unprepared: a pooler may hand the connection's next transaction to another server.
        psycopg.Cursor(self).execute(ANNOUNCE, words, prepare=False)
        self._told = words


class AsyncAnnouncingCursorMixin:
    """For asynchronous cursor classes of your own: put it before the class of psycopg that they extend."""

    connection: Any

    async def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        async with self.connection._announced(query):
            return await super().execute(query, *args, **options)  # type: ignore[misc]

    async def executemany(self, query: Any, *args: Any, **options: Any) -> None:
        async with self.connection._announced(query):
            await super().executemany(query, *args, **options)  # type: ignore[misc]

    async def stream(self, query: Any, *args: Any, **options: Any) -> AsyncIterator[Any]:
        async with self.connection._announced(query):
            async for row in super().stream(query, *args, **options):  # type: ignore[misc]
                yield row

    @asynccontextmanager
    async def copy(self, statement: Any, *args: Any, **options: Any) -> AsyncIterator[psycopg.AsyncCopy]:
        async with self.connection._announced(statement):
            async with super().copy(statement, *args, **options) as copy:  # type: ignore[misc]
                yield copy


class _AsyncCursor(AsyncAnnouncingCursorMixin, psycopg.AsyncCursor[Row]):
    pass


class _AsyncServerCursor(AsyncAnnouncingCursorMixin, psycopg.AsyncServerCursor[Row]):
    pass


class AsyncAnnouncingConnection(_Told, psycopg.AsyncConnection[Row]):
    """The same as :class:`AnnouncingConnection`, asynchronous."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = _AsyncCursor
        self.server_cursor_factory = _AsyncServerCursor

    def cursor(self, *args: Any, **options: Any) -> Any:
        """As in psycopg.

        :raises TypeError: for a cursor class that would announce nobody.
        """
        return _checked(super().cursor(*args, **options), AsyncAnnouncingCursorMixin)

    @asynccontextmanager
    async def transaction(self, *args: Any, **options: Any) -> AsyncIterator[psycopg.AsyncTransaction]:
        """As in psycopg; announces before a savepoint, whose rollback would take the name back."""
        if words := self._before_savepoint():
            await self._announce(words)
        async with super().transaction(*args, **options) as transaction:
            try:
                yield transaction
            except BaseException:
                self._told = None
                raise
            if transaction.force_rollback:
                self._told = None

    @asynccontextmanager
    async def _announced(self, query: Any) -> AsyncIterator[None]:
        words = self._missing(query)
        if words and self._is_bare():
            async with super().transaction():
                await self._announce(words)
                yield
            return
        if words:
            await self._announce(words)
        yield

    async def _announce(self, words: Words) -> None:
        await psycopg.AsyncCursor(self).execute(ANNOUNCE, words, prepare=False)
        self._told = words


def _checked(cursor: Any, mixin: type) -> Any:
    if not isinstance(cursor, mixin):
        raise TypeError(
            f"{type(cursor).__name__} announces nobody: write `class Own({mixin.__name__}, {type(cursor).__name__})` "
            "and give that one."
        )
    return cursor
