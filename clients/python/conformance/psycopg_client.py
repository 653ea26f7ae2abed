"""psycopg 3 with its pool, in autocommit, where `transaction()` makes the transactions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from cdc_audit.psycopg import AnnouncingConnection
from protocol import Threaded, serve

UPDATE = "UPDATE public.items SET note = gen_random_uuid()::text WHERE id = %s"


class Psycopg(Threaded):
    driver = f"psycopg {psycopg.__version__}"
    cannot: dict[str, str] = {}

    def open(self, pool: int) -> None:
        options: dict[str, Any] = {"autocommit": True}
        if os.environ.get("ACTORS_POOLER"):
            options["prepare_threshold"] = None
        self.pool = ConnectionPool(
            os.environ["DATABASE_URL"],
            connection_class=AnnouncingConnection,
            kwargs=options,
            min_size=0,
            max_size=pool,
            open=True,
        )

    def close(self) -> None:
        self.pool.close()

    @contextmanager
    def transaction(self, read_only: bool, isolation: str | None) -> Iterator[Any]:
        with self.pool.connection() as connection:
            connection.read_only = read_only or None
            connection.isolation_level = (
                psycopg.IsolationLevel[isolation.upper().replace(" ", "_")] if isolation else None
            )
            try:
                with connection.transaction():
                    yield connection
            finally:
                connection.read_only = connection.isolation_level = None

    @contextmanager
    def savepoint(self, within: Any) -> Iterator[Any]:
        with within.transaction():
            yield within

    def sql(self, within: Any, text: str, *values: str) -> None:
        if within is not None:
            within.execute(text, values or None)
            return
        with self.pool.connection() as connection:
            connection.execute(text, values or None)

    def insert(self, within: Any, row: str) -> None:
        self.sql(within, "INSERT INTO public.items (id) VALUES (%s)", row)

    def update(self, within: Any, row: str) -> None:
        self.sql(within, UPDATE, row)

    def delete(self, within: Any, row: str) -> None:
        self.sql(within, "DELETE FROM public.items WHERE id = %s", row)

    def read(self, within: Any) -> None:
        self.sql(within, "SELECT count(*) FROM public.items")


def main() -> None:
    serve(Psycopg())
