"""SQLAlchemy's asynchronous ORM over asyncpg. A bare statement is one in AUTOCOMMIT: every other has a transaction."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from cdc_audit.sqlalchemy import announce_actors
from protocol_async import serve_async
from sqlalchemy_client import Item, transaction_options


class AsyncSqlAlchemy:
    driver = f"SQLAlchemy {sqlalchemy.__version__}, asyncpg {asyncpg.__version__}"
    cannot: dict[str, str] = {}

    async def open(self, pool: int) -> None:
        pooled = os.environ.get("ACTORS_POOLER")
        options: dict[str, Any] = {}
        if pooled:
            options = {
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": lambda: f"__asyncpg_{uuid.uuid4()}__",
            }
        url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://")
        self.engine = create_async_engine(url, pool_size=pool, max_overflow=0, connect_args=options)
        announce_actors(self.engine)
        # asyncpg prepares each statement first: behind a transaction pooler that takes a transaction.
        self.bare = self.engine if pooled else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def transaction(self, read_only: bool, isolation: str | None) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self.engine) as session, session.begin():
            if options := transaction_options(read_only, isolation):
                await session.connection(execution_options=options)
            yield session

    @asynccontextmanager
    async def savepoint(self, within: AsyncSession) -> AsyncIterator[AsyncSession]:
        async with within.begin_nested():
            yield within

    async def _execute(self, within: AsyncSession | None, statement: Any) -> None:
        if within is not None:
            await within.execute(statement)
            return
        async with AsyncSession(self.bare) as session:
            await session.execute(statement)
            await session.commit()

    async def insert(self, within: AsyncSession | None, row: str) -> None:
        if within is None:
            await self._execute(None, insert(Item).values(id=row))
        else:
            within.add(Item(id=row))
            await within.flush()

    async def update(self, within: AsyncSession | None, row: str) -> None:
        await self._execute(within, update(Item).where(Item.id == row).values(note=str(uuid.uuid4())))

    async def delete(self, within: AsyncSession | None, row: str) -> None:
        await self._execute(within, delete(Item).where(Item.id == row))

    async def sql(self, within: AsyncSession | None, text_: str) -> None:
        await self._execute(within, text(text_.replace(":", r"\:")))

    async def read(self, within: AsyncSession | None) -> None:
        await self._execute(within, select(func.count()).select_from(Item))


def main() -> None:
    serve_async(AsyncSqlAlchemy())
