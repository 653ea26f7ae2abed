from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from conftest import Named
from psycopg.rows import dict_row

from cdc_audit import acting
from cdc_audit.psycopg import AnnouncingConnection, AnnouncingCursorMixin, AsyncAnnouncingConnection

Names = Callable[[], list[Named]]
URL = os.environ["DATABASE_URL"]
INSERT = "INSERT INTO public.items (id) VALUES (%s)"


@pytest.fixture(params=[False, True], ids=["transactions", "autocommit"])
def connection(request: pytest.FixtureRequest) -> Iterator[Any]:
    with AnnouncingConnection.connect(URL, autocommit=request.param) as connection:
        yield connection


def test_each_transaction_of_a_connection_bears_its_own_name(connection: Any, names: Names) -> None:
    for actor in ("mia", "noah", "noah", None):
        with acting(actor), connection.transaction():
            connection.execute("INSERT INTO public.items (id) VALUES (gen_random_uuid()::text)")
    assert [name.actor for name in names()] == ["mia", "noah", "noah", "application"]


def test_every_way_of_writing_bears_the_name(connection: Any, names: Names) -> None:
    with acting("mia"):
        connection.execute(INSERT, ["execute"])
        connection.commit()
        connection.cursor(row_factory=dict_row).executemany(INSERT, [["many-1"], ["many-2"]])
        connection.commit()
        with connection.cursor().copy("COPY public.items (id) FROM STDIN") as copy:
            copy.write_row(["copy"])
        connection.commit()
        assert list(connection.cursor().stream("DELETE FROM public.items RETURNING id"))
        connection.commit()
    assert [name.actor for name in names()] == ["mia"] * 4


def test_a_savepoint_that_is_rolled_back_leaves_the_name(connection: Any, names: Names) -> None:
    with acting("mia"), connection.transaction():
        with connection.transaction(force_rollback=True):
            connection.execute(INSERT, ["a"])
        with connection.transaction("second"):
            raise psycopg.Rollback
        connection.execute(INSERT, ["b"])
    assert names()[-1] == Named("mia")


def test_a_server_side_cursor_begins_a_transaction_that_bears_the_name(names: Names) -> None:
    with AnnouncingConnection.connect(URL) as connection, acting("mia"):
        for row in ("a", "b"):
            with connection.cursor("own") as cursor:
                cursor.execute("SELECT 1")
            connection.execute(INSERT, [row])
            connection.commit()
    assert names() == [Named("mia"), Named("mia")]


def test_a_pipeline_carries_the_name(connection: Any, names: Names) -> None:
    with acting("mia"), connection.pipeline(), connection.transaction():
        connection.execute(INSERT, ["a"])
        connection.execute(INSERT, ["b"])
    with connection.pipeline(), connection.transaction():
        connection.execute(INSERT, ["c"])
    assert [name.actor for name in names()] == ["mia", "application"]


def test_a_transaction_that_the_text_begins_bears_the_name(names: Names) -> None:
    with AnnouncingConnection.connect(URL, autocommit=True) as connection, acting("mia"):
        for text in ("BEGIN", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "INSERT INTO public.items VALUES ('a')", "COMMIT"):
            connection.execute(text)
    assert names() == [Named("mia")]


def test_a_cursor_class_that_would_announce_nobody_is_refused(connection: Any, names: Names) -> None:
    with pytest.raises(TypeError, match="class Own"):
        connection.cursor_factory = psycopg.ClientCursor
        connection.cursor()

    class Own(AnnouncingCursorMixin, psycopg.ClientCursor[Any]):
        pass

    connection.cursor_factory = Own
    with acting("mia"):
        connection.execute(INSERT, ["a"])
        connection.commit()
    assert names() == [Named("mia")]


@pytest.mark.parametrize("autocommit", [False, True])
def test_asynchronous_connections_do_the_same(autocommit: bool, names: Names) -> None:
    async def main() -> None:
        async with await AsyncAnnouncingConnection.connect(URL, autocommit=autocommit) as connection:
            with acting("mia"):
                await connection.execute(INSERT, ["a"])
                await connection.commit()
                async with connection.cursor().copy("COPY public.items (id) FROM STDIN") as copy:
                    await copy.write_row(["copy"])
                await connection.commit()
            with acting("noah"):
                async with connection.transaction(), connection.transaction(force_rollback=True):
                    await connection.execute(INSERT, ["b"])
                async with connection.transaction():
                    await connection.execute(INSERT, ["c"])
                await connection.cursor().executemany(INSERT, [["d"]])
                await connection.commit()
                assert [row async for row in connection.cursor().stream("DELETE FROM public.items RETURNING id")]

    asyncio.run(main())
    assert {name.actor for name in names()} == {"mia", "noah"}
