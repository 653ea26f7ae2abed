from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from conftest import Named
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.rows import dict_row

from cdc_audit import acting
from cdc_audit.psycopg import AnnouncingConnection, AnnouncingCursorMixin, AsyncAnnouncingConnection

Names = Callable[[], list[Named]]
URL = os.environ["DATABASE_URL"]
INSERT = "INSERT INTO public.items (id) VALUES (%s)"
ACTORS = [None if n % 4 == 3 else f"user-{n}" for n in range(20)]


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


class Noted:
    """Who acted at each row, as a trigger of the test's own sees it."""

    def __init__(self, admin: Any) -> None:
        self._admin = admin

    def by_row(self) -> dict[str, str | None]:
        return dict(self._admin.execute("SELECT id, nullif(note, '') FROM public.items").fetchall())


@pytest.fixture
def noted(admin: Any, names: Names) -> Iterator[Noted]:
    admin.execute("""
      CREATE FUNCTION public.note_actor() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN NEW.note := current_setting('capture.actor', true); RETURN NEW; END$$;
      CREATE TRIGGER note_actor BEFORE INSERT ON public.items FOR EACH ROW EXECUTE FUNCTION public.note_actor()""")
    yield Noted(admin)
    admin.execute("DROP FUNCTION public.note_actor() CASCADE")


def test_threads_that_share_a_connection_keep_their_names(noted: Noted, connection: Any) -> None:
    def write(place: int) -> None:
        # One of them begins a transaction, and the others happen to be in it. psycopg allows no second one meanwhile.
        with acting(ACTORS[place]), connection.transaction() if place == 5 else nullcontext():
            connection.execute(INSERT, [str(place)])

    connection.execute("SELECT 1")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(20)))
    connection.commit()
    assert noted.by_row() == {str(place): actor for place, actor in enumerate(ACTORS)}


@pytest.mark.parametrize("autocommit", [False, True])
def test_tasks_that_share_a_connection_keep_their_names(autocommit: bool, noted: Noted) -> None:
    async def main() -> None:
        async with await AsyncAnnouncingConnection.connect(URL, autocommit=autocommit) as connection:

            async def write(place: int) -> None:
                with acting(ACTORS[place]):
                    await connection.execute(INSERT, [str(place)])
                    if place % 5 == 0:
                        await connection.commit()

            await asyncio.gather(*(write(place) for place in range(20)))

    asyncio.run(main())
    assert noted.by_row() == {str(place): actor for place, actor in enumerate(ACTORS)}


def test_tasks_within_one_transaction_do_not_wait_for_its_end(noted: Noted) -> None:
    async def main() -> None:
        async with await AsyncAnnouncingConnection.connect(URL, autocommit=True) as connection:

            async def write(actor: str | None) -> None:
                with acting(actor):
                    await connection.execute(INSERT, [str(actor)])

            with acting("admin"):
                async with connection.transaction():
                    await asyncio.gather(*(write(actor) for actor in ("mia", None, "noah")))
                    await connection.execute(INSERT, ["admin"])

    asyncio.run(asyncio.wait_for(main(), 20))
    assert noted.by_row() == {"mia": "mia", "None": None, "noah": "noah", "admin": "admin"}


def test_a_stream_that_is_left_early_ends_before_the_next_statement(names: Names) -> None:
    async def main() -> None:
        async with await AsyncAnnouncingConnection.connect(URL, autocommit=True) as connection:
            with acting("mia"):
                async for _ in connection.cursor().stream("SELECT generate_series(1, 10000)"):
                    break
                await connection.execute(INSERT, ["a"])

    asyncio.run(asyncio.wait_for(main(), 20))
    assert names() == [Named("mia")]


def test_a_stream_may_be_read_in_other_threads(connection: Any, names: Names) -> None:
    with acting("mia"), ThreadPoolExecutor(1) as threads:
        stream = connection.cursor().stream("SELECT generate_series(1, 3)")
        assert next(stream) == (1,)
        assert threads.submit(lambda: list(stream)).result() == [(2,), (3,)]
        connection.execute(INSERT, ["a"])
        connection.commit()
    assert names() == [Named("mia")]


def test_a_cursor_may_make_one_statement_of_others(connection: Any, names: Names) -> None:
    class OneByOne(psycopg.Cursor[Any]):
        def executemany(self, query: Any, rows: Any, **_: Any) -> None:
            for row in rows:
                self.execute(query, row)

    class Own(AnnouncingCursorMixin, OneByOne):
        pass

    connection.cursor_factory = Own
    with acting("mia"):
        connection.cursor().executemany(INSERT, [["a"], ["b"]])
        connection.commit()
    assert names() == [Named("mia")]


def test_nobody_takes_the_name_back_and_a_lost_context_leaves_it(noted: Noted, connection: Any) -> None:
    def write(actor: str | None, row: str) -> None:
        with acting(actor):
            connection.execute(INSERT, [row])

    with connection.transaction():
        write("mia", "1-mia")
        connection.execute(INSERT, ["2-lost"])
        write(None, "3-nobody")
        with acting("mia"), connection.transaction():
            with acting(None), connection.transaction(force_rollback=True):
                write(None, "undone")
            connection.execute(INSERT, ["4-mia"])
        write(None, "5-nobody")
    assert noted.by_row() == {"1-mia": "mia", "2-lost": "mia", "3-nobody": None, "4-mia": "mia", "5-nobody": None}


def test_nobody_needs_no_right_to_say_so(admin: Any, connection: Any, names: Names) -> None:
    admin.execute("REVOKE capture_app FROM application")
    try:
        with acting(None), connection.transaction():
            with connection.transaction(force_rollback=True):
                connection.execute(INSERT, ["a"])
            connection.execute(INSERT, ["b"])
    finally:
        admin.execute("GRANT capture_app TO application")
    assert [name.actor for name in names()][-1] == "application"


def test_who_acts_may_be_read_behind_an_isolation_level_and_a_lock(connection: Any, names: Names) -> None:
    def actor() -> str:
        connection.execute("SELECT 1")
        return "mia"

    with acting(actor), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        connection.execute("LOCK TABLE public.items")
        connection.execute(INSERT, ["a"])
    assert names() == [Named("mia")]


def test_each_transaction_of_two_phases_bears_its_own_name(names: Names) -> None:
    with AnnouncingConnection.connect(URL) as connection, acting("mia"):
        for row in ("a", "b"):
            connection.tpc_begin(row)
            connection.execute(INSERT, [row])
            connection.tpc_commit()
    assert names() == [Named("mia"), Named("mia")]


def test_a_chained_transaction_bears_its_name(connection: Any, names: Names) -> None:
    with acting("mia"):
        for text in ("BEGIN", "SELECT 1", "COMMIT AND CHAIN", "INSERT INTO public.items VALUES ('a')", "COMMIT"):
            connection.execute(text)
    assert names() == [Named("mia")]


class Money:
    pass


class MoneyDumper(Dumper):
    oid = psycopg.adapters.types["text"].oid

    def dump(self, obj: Any) -> bytes:
        return b"a"


@pytest.mark.parametrize("place", ["connection", "cursor"])
def test_adapters_of_the_application_count(place: str, connection: Any, names: Names) -> None:
    cursor = connection.cursor()
    (connection if place == "connection" else cursor).adapters.register_dumper(Money, MoneyDumper)
    with acting("mia"):
        (connection if place == "connection" else cursor).execute(
            sql.SQL("INSERT INTO public.items (id) VALUES ({})").format(sql.Literal(Money()))
        )
        connection.commit()
    assert names() == [Named("mia")]


def template(*parts: Any) -> Any:
    """A template string as Python 3.14 makes it; psycopg has a stand-in for it in older ones."""
    from psycopg._compat import Interpolation, Template

    made = [part if isinstance(part, str) else Interpolation(part[0], "", None, "") for part in parts]
    if sys.version_info >= (3, 14):
        return Template(*made)

    class Written(Template):
        def __new__(cls) -> Any:
            return object.__new__(cls)

        def __iter__(self) -> Iterator[Any]:
            return iter(made)

    return Written()


def test_a_template_string_bears_the_name(connection: Any, names: Names) -> None:
    with acting("mia"):
        connection.execute(template("INSERT INTO public.items (id) VALUES (", ["a"], ")"))
        connection.commit()
    assert names() == [Named("mia")]
