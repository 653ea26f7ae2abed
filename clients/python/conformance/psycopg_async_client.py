"""psycopg 3, asynchronous, with connections that are not in autocommit: the pool's block makes the transaction."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from cdc_audit.psycopg import AsyncAnnouncingConnection
from protocol_async import serve_async
from psycopg_client import UPDATE


class AsyncPsycopg:
    driver = f"psycopg {psycopg.__version__}, asynchronous"
    cannot: dict[str, str] = {}

    async def open(self, pool: int) -> None:
        options: dict[str, Any] = {"prepare_threshold": None} if os.environ.get("ACTORS_POOLER") else {}
        self.pool = AsyncConnectionPool(
            os.environ["DATABASE_URL"],
            connection_class=AsyncAnnouncingConnection,
            kwargs=options,
            min_size=0,
            max_size=pool,
            open=False,
        )
        await self.pool.open()

    async def close(self) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def transaction(self, read_only: bool, isolation: str | None) -> AsyncIterator[Any]:
        async with self.pool.connection() as connection:
            level = psycopg.IsolationLevel[isolation.upper().replace(" ", "_")] if isolation else None
            await connection.set_read_only(read_only or None)
            await connection.set_isolation_level(level)
            try:
                async with connection.transaction():
                    yield connection
            finally:
                await connection.set_read_only(None)
                await connection.set_isolation_level(None)

    @asynccontextmanager
    async def savepoint(self, within: Any) -> AsyncIterator[Any]:
        async with within.transaction():
            yield within

    async def sql(self, within: Any, text: str, *values: str) -> None:
        if within is not None:
            await within.execute(text, values or None)
            return
        async with self.pool.connection() as connection:
            await connection.execute(text, values or None)

    async def insert(self, within: Any, row: str) -> None:
        await self.sql(within, "INSERT INTO public.items (id) VALUES (%s)", row)

    async def update(self, within: Any, row: str) -> None:
        await self.sql(within, UPDATE, row)

    async def delete(self, within: Any, row: str) -> None:
        await self.sql(within, "DELETE FROM public.items WHERE id = %s", row)

    async def read(self, within: Any) -> None:
        await self.sql(within, "SELECT count(*) FROM public.items")


def main() -> None:
    serve_async(AsyncPsycopg())
