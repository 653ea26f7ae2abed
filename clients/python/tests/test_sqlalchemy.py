from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator

import pytest
from conftest import Named
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from cdc_audit import acting, identify
from cdc_audit.sqlalchemy import announce_actors

Names = Callable[[], list[Named]]
Rows = Callable[[], list[str]]
INSERT = text("INSERT INTO public.items (id) VALUES (:id)")
URL = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://")


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine(URL, pool_size=1, max_overflow=0)
    announce_actors(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def statements(engine: Engine) -> list[str]:
    seen: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement.split()[0] + (" announce" if "capture.announce" in statement else ""))

    event.listen(engine, "before_cursor_execute", note)
    return seen


def test_a_transaction_bears_the_name_and_says_it_once(engine: Engine, names: Names, statements: list[str]) -> None:
    with acting("mia", "r-1", {"reason": "refund"}), Session(engine) as session, session.begin():
        session.execute(INSERT, {"id": "a"})
        session.execute(INSERT, {"id": "b"})
    assert names() == [Named("mia", "r-1", "refund")]
    assert sorted(statements) == ["INSERT", "INSERT", "SELECT announce"]


def test_the_next_user_of_the_connection_inherits_nothing(engine: Engine, names: Names) -> None:
    for actor in ("mia", None, "noah", "noah"):
        with acting(actor), engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO public.items (id) VALUES (gen_random_uuid()::text)")
    assert [name.actor for name in names()] == ["mia", "application", "noah", "noah"]


def test_an_isolation_level_and_a_lock_may_come_first(engine: Engine, names: Names) -> None:
    with acting("mia"), engine.begin() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        connection.exec_driver_sql("LOCK TABLE public.items")
        connection.execute(INSERT, {"id": "a"})
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "serializable"
    assert names() == [Named("mia")]


def test_a_savepoint_that_is_rolled_back_leaves_the_name(engine: Engine, names: Names) -> None:
    with acting("mia"), Session(engine) as session, session.begin():
        with session.begin_nested() as savepoint:
            savepoint.rollback()
        session.execute(INSERT, {"id": "a"})
    assert names() == [Named("mia")]


def test_who_is_identified_in_a_savepoint_that_is_rolled_back_is_named_again(engine: Engine, names: Names) -> None:
    with acting(), Session(engine) as session, session.begin():
        with session.begin_nested() as savepoint:
            identify("mia")
            session.execute(INSERT, {"id": "a"})
            savepoint.rollback()
        session.execute(INSERT, {"id": "b"})
    assert names()[-1] == Named("mia")


def test_a_bare_write_in_autocommit_bears_the_name_and_returns_its_rows(engine: Engine, names: Names, rows: Rows) -> None:
    with acting("mia"), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        statement = text("INSERT INTO public.items (id) VALUES (:id) RETURNING id")
        assert connection.execute(statement, {"id": "a"}).scalar() == "a"
        assert rows() == ["a"]
        with pytest.raises(DBAPIError):
            connection.execute(INSERT, {"id": "a"})
        connection.execute(INSERT, {"id": "b"})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(INSERT, {"id": "c"})
    assert [name.actor for name in names()][-3:] == ["mia", "mia", "application"]
    assert rows() == ["a", "b", "c"]


def test_what_only_reads_in_autocommit_or_is_read_only_says_nothing(engine: Engine, statements: list[str]) -> None:
    with acting("mia"):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SELECT 1")
        with engine.connect().execution_options(postgresql_readonly=True) as connection:
            connection.exec_driver_sql("SELECT 1")
    assert statements == ["SELECT", "SELECT"]


def test_what_the_database_refuses_is_an_error_and_the_connection_goes_on(engine: Engine, names: Names) -> None:
    with acting("x" * 601), engine.connect() as connection, pytest.raises(DataError, match="601 characters"):
        connection.execute(INSERT, {"id": "a"})
    with acting("mia"), engine.begin() as connection:
        connection.execute(INSERT, {"id": "a"})
    assert names() == [Named("mia")]


def test_asyncio_tasks_on_one_connection_keep_their_names(names: Names) -> None:
    async def main() -> None:
        engine = create_async_engine(URL.replace("psycopg", "asyncpg"), pool_size=1, max_overflow=0)
        announce_actors(engine)

        async def request(actor: str, bare: bool) -> None:
            with acting(actor):
                options = {"isolation_level": "AUTOCOMMIT"} if bare else {}
                async with engine.execution_options(**options).begin() as connection:
                    await connection.execute(text("INSERT INTO public.items (id) VALUES (:id)"), {"id": actor})

        await asyncio.gather(*(request(f"user-{n}", n % 2 == 0) for n in range(20)))
        await engine.dispose()

    asyncio.run(main())
    assert sorted(name.actor for name in names()) == sorted(f"user-{n}" for n in range(20))


TEXTS = [
    *("BEGIN", "INSERT INTO public.items VALUES ('undone')", "ROLLBACK"),
    *("BEGIN", "INSERT INTO public.items VALUES ('a')", "COMMIT"),
    "INSERT INTO public.items VALUES ('b')",
]


def test_a_transaction_that_the_text_begins_in_autocommit_stays_the_applications(names: Names, rows: Rows) -> None:
    engine = create_engine(URL, isolation_level="AUTOCOMMIT")
    announce_actors(engine)
    with acting("mia"), engine.connect() as connection:
        for one in TEXTS:
            connection.exec_driver_sql(one)
    engine.dispose()
    assert rows() == ["a", "b"]
    assert names()[-2:] == [Named("mia"), Named("mia")]


def test_the_same_with_asyncpg(names: Names, rows: Rows) -> None:
    async def main() -> None:
        engine = create_async_engine(URL.replace("psycopg", "asyncpg"), isolation_level="AUTOCOMMIT")
        announce_actors(engine)
        with acting("mia"):
            async with engine.connect() as connection:
                for one in TEXTS:
                    await connection.exec_driver_sql(one)
        await engine.dispose()

    asyncio.run(main())
    assert rows() == ["a", "b"]
    assert names()[-2:] == [Named("mia"), Named("mia")]


def test_an_engine_of_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="sqlite"):
        announce_actors(create_engine("sqlite://"))


def test_nobody_takes_the_name_back_and_a_lost_context_leaves_it(engine: Engine, names: Names, statements: list[str]) -> None:
    with engine.begin() as connection:
        with acting("mia"):
            connection.execute(INSERT, {"id": "a"})
        connection.execute(INSERT, {"id": "lost"})
        with acting(None):
            connection.execute(INSERT, {"id": "b"})
            connection.execute(INSERT, {"id": "c"})
    assert names() == [Named("mia"), Named("application")]
    assert statements.count("SELECT announce") == 2


def test_nobody_says_nothing_where_nobody_was_named(engine: Engine, names: Names, statements: list[str]) -> None:
    with acting(None), Session(engine) as session, session.begin():
        with session.begin_nested() as savepoint:
            session.execute(INSERT, {"id": "a"})
            savepoint.rollback()
        session.execute(text("SELECT 1"))
    assert "SELECT announce" not in statements and names() == []


def test_nobody_is_asked_who_acts_before_an_isolation_level(engine: Engine, names: Names) -> None:
    with engine.begin() as connection:

        def actor() -> str:
            return str(connection.exec_driver_sql("SELECT 'mia'").scalar())

        with acting(actor):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            connection.execute(INSERT, {"id": "a"})
    assert names() == [Named("mia")]


def test_each_transaction_of_two_phases_bears_its_own_name(engine: Engine, names: Names) -> None:
    with acting("mia"), engine.connect() as connection:
        for row in ("a", "b"):
            transaction = connection.begin_twophase()
            connection.execute(INSERT, {"id": row})
            transaction.commit()
    assert names() == [Named("mia"), Named("mia")]


def test_a_transaction_behind_a_commit_of_the_text_bears_the_name(engine: Engine, names: Names) -> None:
    with acting("mia"), engine.connect() as connection:
        connection.execute(INSERT, {"id": "a"})
        connection.execute(text("COMMIT"))
        connection.execute(INSERT, {"id": "b"})
        connection.commit()
    assert names() == [Named("mia"), Named("mia")]
