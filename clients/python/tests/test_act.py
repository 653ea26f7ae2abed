from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from cdc_audit import acting, current, identify
from cdc_audit._act import Words, current_words
from cdc_audit._statement import changes_rows, undoes_name, wants_name


def test_an_act_ends_with_its_block_and_the_outer_one_goes_on() -> None:
    with acting("mia", "r-1", {"reason": "refund"}):
        with acting("admin"):
            assert current_words() == Words("admin", None, "{}")
        assert current_words() == Words("mia", "r-1", '{"reason": "refund"}')
    assert current() is None


def test_identify_names_whom_the_middleware_did_not_know() -> None:
    with acting(request_id="r-1", context={"path": "/"}):
        assert current_words() is None
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


def test_only_a_rollback_to_a_savepoint_undoes_a_name_within_a_transaction() -> None:
    assert undoes_name("ROLLBACK TO SAVEPOINT a") and not undoes_name("ROLLBACK")
