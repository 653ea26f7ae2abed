"""Connections of psycopg 3 that announce who acts in their transactions.

    pool = ConnectionPool(url, connection_class=AnnouncingConnection)
    with acting("mia"), pool.connection() as connection: ...
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from ._act import ANNOUNCE, Words, current_words
from ._statement import changes_rows, may_end_name, wants_name
from ._told import Told

__all__ = [
    "AnnouncingConnection",
    "AnnouncingCursorMixin",
    "AsyncAnnouncingConnection",
    "AsyncAnnouncingCursorMixin",
]

Row = TypeVar("Row")


class _Announcing:
    """What both connections decide alike. Asked in a turn of the connection, so that no other task changes it meanwhile."""

    info: psycopg.ConnectionInfo
    _told: Told

    def _missing(self, statement: str, words: Words | None) -> Words | None:
        """What to announce before a statement; also before a bare write, which needs a transaction for it."""
        self._look()
        if may_end_name(statement):
            self._told.doubt()
        if words is None or not self._may_be_told() or not self._told.lacks(words):
            return None
        return None if self._is_bare() and not changes_rows(statement) else words

    def _missing_before_savepoint(self, words: Words | None) -> Words | None:
        self._look()
        if words is None or self._is_idle() or not self._may_be_told():
            return None
        return words if self._told.lacks(words) else None

    def _look(self) -> None:
        status = self.info.transaction_status
        if status == TransactionStatus.IDLE:
            self._told.begin()
        elif status == TransactionStatus.ACTIVE:
            # A pipeline doesn't tell where a transaction ends, and an announcement costs it no trip.
            self._told.doubt()

    def _may_be_told(self) -> bool:
        return self.info.transaction_status != TransactionStatus.INERROR and not getattr(self, "read_only", None)

    def _is_idle(self) -> bool:
        return self.info.transaction_status == TransactionStatus.IDLE

    def _is_bare(self) -> bool:
        return bool(getattr(self, "autocommit", False)) and self._is_idle()


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, str):
        return query
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    # By the cursor's adapters, which the application may have registered for its own types.
    if isinstance(query, sql.Composable):
        return query.as_string(cursor)
    # A template string, which psycopg takes from 3.3 on.
    return sql.as_string(query, cursor) if hasattr(sql, "as_string") else str(query)


def _words_for(statement: str) -> Words | None:
    """Asked outside the turn of the connection, as the answer may be read by statements of its own."""
    return current_words() if wants_name(statement) else None


class AnnouncingCursorMixin:
    """For cursor classes of your own: put it before the class of psycopg that they extend."""

    connection: Any

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        with self.connection._announced(_text(query, self)):
            return super().execute(query, *args, **options)  # type: ignore[misc]

    def executemany(self, query: Any, *args: Any, **options: Any) -> None:
        with self.connection._announced(_text(query, self)):
            super().executemany(query, *args, **options)  # type: ignore[misc]

    def stream(self, query: Any, *args: Any, **options: Any) -> Iterator[Any]:
        with self.connection._announced(_text(query, self)):
            yield from super().stream(query, *args, **options)  # type: ignore[misc]

    @contextmanager
    def copy(self, statement: Any, *args: Any, **options: Any) -> Iterator[psycopg.Copy]:
        with self.connection._announced(_text(statement, self)):
            with super().copy(statement, *args, **options) as copy:  # type: ignore[misc]
                yield copy


class _Cursor(AnnouncingCursorMixin, psycopg.Cursor[Row]):
    pass


class _ServerCursor(AnnouncingCursorMixin, psycopg.ServerCursor[Row]):
    pass


class AnnouncingConnection(_Announcing, psycopg.Connection[Row]):
    """A connection whose transactions say who acts before their first statement. A bare write gets one of its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._told = Told()
        self._turns = threading.Lock()
        self._whose_turn: int | None = None
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
        block = super().transaction(*args, **options)
        words = None if self._is_idle() else current_words()
        with self._turn():
            if missing := self._missing_before_savepoint(words):
                self._announce(missing)
            transaction = block.__enter__()
        # Between its beginning and its end, other threads may have their turns.
        try:
            yield transaction
        except BaseException as error:
            with self._turn():
                self._told.doubt()
                if not block.__exit__(type(error), error, error.__traceback__):
                    raise
        else:
            with self._turn():
                if transaction.force_rollback:
                    self._told.doubt()
                block.__exit__(None, None, None)

    def commit(self) -> None:
        """As in psycopg."""
        with self._turn():
            super().commit()

    def rollback(self) -> None:
        """As in psycopg."""
        with self._turn():
            super().rollback()

    def tpc_begin(self, xid: psycopg.Xid | str) -> None:
        """As in psycopg."""
        with self._turn():
            self._told.begin()
            super().tpc_begin(xid)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Keeps what belongs to one statement together, as psycopg does with less: threads may share a connection."""
        me = threading.get_ident()
        if self._whose_turn == me:
            # A cursor class of the application's makes one statement of others.
            yield
            return
        # It may end in another thread, where a web framework reads a stream on.
        with self._turns:
            self._whose_turn = me
            try:
                yield
            finally:
                self._whose_turn = None

    @contextmanager
    def _announced(self, statement: str) -> Iterator[None]:
        words = _words_for(statement)
        with self._turn():
            missing = self._missing(statement, words)
            if missing and self._is_bare():
                with super().transaction():
                    self._announce(missing)
                    yield
                return
            if missing:
                self._announce(missing)
            yield

    def _announce(self, words: Words) -> None:
        with self._told.saying(words):
            # Unprepared: a pooler may hand the connection's next transaction to another server.
            psycopg.Cursor(self).execute(ANNOUNCE, words, prepare=False)


class AsyncAnnouncingCursorMixin:
    """For asynchronous cursor classes of your own: put it before the class of psycopg that they extend."""

    connection: Any

    async def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        async with self.connection._announced(_text(query, self)):
            return await super().execute(query, *args, **options)  # type: ignore[misc]

    async def executemany(self, query: Any, *args: Any, **options: Any) -> None:
        async with self.connection._announced(_text(query, self)):
            await super().executemany(query, *args, **options)  # type: ignore[misc]

    async def stream(self, query: Any, *args: Any, **options: Any) -> AsyncIterator[Any]:
        # asyncio ends a stream that is left early somewhat later, and the task's own next statement has to wait for it too.
        async with self.connection._announced(_text(query, self)):
            self.connection._whose_turn = None
            async with aclosing(super().stream(query, *args, **options)) as rows:  # type: ignore[misc]
                async for row in rows:
                    yield row

    @asynccontextmanager
    async def copy(self, statement: Any, *args: Any, **options: Any) -> AsyncIterator[psycopg.AsyncCopy]:
        async with self.connection._announced(_text(statement, self)):
            async with super().copy(statement, *args, **options) as copy:  # type: ignore[misc]
                yield copy


class _AsyncCursor(AsyncAnnouncingCursorMixin, psycopg.AsyncCursor[Row]):
    pass


class _AsyncServerCursor(AsyncAnnouncingCursorMixin, psycopg.AsyncServerCursor[Row]):
    pass


class AsyncAnnouncingConnection(_Announcing, psycopg.AsyncConnection[Row]):
    """The same as :class:`AnnouncingConnection`, asynchronous."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._told = Told()
        self._turns = asyncio.Lock()
        self._whose_turn: asyncio.Task[Any] | None = None
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
        block = super().transaction(*args, **options)
        words = None if self._is_idle() else current_words()
        async with self._turn():
            if missing := self._missing_before_savepoint(words):
                await self._announce(missing)
            transaction = await block.__aenter__()
        # Between its beginning and its end, other tasks may have their turns.
        try:
            yield transaction
        except BaseException as error:
            async with self._turn():
                self._told.doubt()
                if not await block.__aexit__(type(error), error, error.__traceback__):
                    raise
        else:
            async with self._turn():
                if transaction.force_rollback:
                    self._told.doubt()
                await block.__aexit__(None, None, None)

    async def commit(self) -> None:
        """As in psycopg."""
        async with self._turn():
            await super().commit()

    async def rollback(self) -> None:
        """As in psycopg."""
        async with self._turn():
            await super().rollback()

    async def tpc_begin(self, xid: psycopg.Xid | str) -> None:
        """As in psycopg."""
        async with self._turn():
            self._told.begin()
            await super().tpc_begin(xid)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Keeps what belongs to one statement together, as psycopg does with less: tasks may share a connection."""
        me = asyncio.current_task()
        if self._whose_turn is me:
            # A cursor class of the application's makes one statement of others.
            yield
            return
        # It may end in another task, such as one that closes a stream that was left.
        async with self._turns:
            self._whose_turn = me
            try:
                yield
            finally:
                self._whose_turn = None

    @asynccontextmanager
    async def _announced(self, statement: str) -> AsyncIterator[None]:
        words = _words_for(statement)
        async with self._turn():
            missing = self._missing(statement, words)
            if missing and self._is_bare():
                async with super().transaction():
                    await self._announce(missing)
                    yield
                return
            if missing:
                await self._announce(missing)
            yield

    async def _announce(self, words: Words) -> None:
        with self._told.saying(words):
            await psycopg.AsyncCursor(self).execute(ANNOUNCE, words, prepare=False)


def _checked(cursor: Any, mixin: type) -> Any:
    if not isinstance(cursor, mixin):
        raise TypeError(
            f"{type(cursor).__name__} announces nobody: write `class Own({mixin.__name__}, {type(cursor).__name__})` "
            "and give that one."
        )
    return cursor
