from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Event
from typing import Any

import pytest

from cdc_audit import acting, current, identify
from cdc_audit._act import NOBODY, Words, current_words
from cdc_audit._statement import changes_rows, may_end_name, wants_name
from cdc_audit._told import Told


def test_an_act_ends_with_its_block_and_the_outer_one_goes_on() -> None:
    with acting("mia", "r-1", {"reason": "refund"}):
        with acting("admin"):
            assert current_words() == Words("admin", None, "{}")
        assert current_words() == Words("mia", "r-1", '{"reason": "refund"}')
    assert current() is None


def test_identify_names_whom_the_middleware_did_not_know() -> None:
    with acting(request_id="r-1", context={"path": "/"}):
        assert current_words() == NOBODY
        identify("mia", {"reason": "refund"})
        assert current_words() == Words("mia", "r-1", '{"path": "/", "reason": "refund"}')


def test_identify_outside_every_act_says_how_to_open_one() -> None:
    with pytest.raises(RuntimeError, match=r"with acting\("):
        identify("mia")


def test_statements_that_find_out_who_acts_are_nobodys() -> None:
    asked: list[Words | None] = []

    def actor() -> str:
        asked.append(current_words())
        return "mia"

    with acting(actor):
        assert current_words() == Words("mia", None, "{}")
    assert asked == [None]


def test_another_thread_has_its_name_while_one_finds_out_who_acts() -> None:
    asked, answered = Event(), Event()

    def actor() -> str:
        if not asked.is_set():
            asked.set()
            assert answered.wait(10)
        return "mia"

    with acting(actor), ThreadPoolExecutor(1) as threads:
        slow = threads.submit(copy_context().run, current_words)
        assert asked.wait(10)
        assert current_words() == Words("mia", None, "{}")
        answered.set()
        assert slow.result() == Words("mia", None, "{}")


@pytest.mark.parametrize("actor", [None, "", lambda: None])
def test_an_act_of_nobody_is_not_the_same_as_none(actor: Any) -> None:
    assert current_words() is None
    with acting("mia"), acting(actor):
        assert current_words() == NOBODY


def test_a_transaction_is_told_that_nobody_acts_only_behind_somebody() -> None:
    mia, told = Words("mia", None, "{}"), Told()
    told.doubt()
    assert not told.lacks(NOBODY) and told.lacks(mia)
    with told.saying(mia):
        assert told.lacks(NOBODY) and not told.lacks(mia)
    told.doubt()
    assert told.lacks(NOBODY) and told.lacks(mia)
    with pytest.raises(ZeroDivisionError), told.saying(NOBODY):
        raise ZeroDivisionError
    assert told.lacks(NOBODY)
    told.begin()
    assert not told.lacks(NOBODY)


def test_threads_and_tasks_have_acts_of_their_own() -> None:
    async def task(name: str) -> Words | None:
        with acting(name):
            await asyncio.sleep(0.001)
            return current_words()

    async def both() -> list[Words | None]:
        return await asyncio.gather(task("mia"), task("noah"))

    assert asyncio.run(both()) == [Words("mia", None, "{}"), Words("noah", None, "{}")]
    with acting("mia"), ThreadPoolExecutor(1) as threads:
        assert threads.submit(current).result() is None


@pytest.mark.parametrize(
    ("statement", "named", "changing"),
    [
        ("SELECT 1", True, False),
        (" insert into t values (1)", True, True),
        ("/* a */ -- b\n(UPDATE t SET a = 1)", True, True),
        ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", True, True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True, False),
        ("VACUUM t", True, False),
        ("SAVEPOINT a", True, False),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", False, False),
        ("lock table t", False, False),
        ("START TRANSACTION READ ONLY", False, False),
        ("COMMIT", False, False),
        ("RELEASE SAVEPOINT a", False, False),
    ],
)
def test_the_first_word_of_a_statement_tells_what_it_needs(statement: str, named: bool, changing: bool) -> None:
    assert (wants_name(statement), changes_rows(statement)) == (named, changing)


def test_a_name_may_end_with_its_transaction_and_behind_a_rollback_to_a_savepoint() -> None:
    assert may_end_name("ROLLBACK TO SAVEPOINT a") and may_end_name("commit and chain") and not may_end_name("RELEASE a")
