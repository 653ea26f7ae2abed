"""The wrapper around a connection's statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import Error

from .._act import ANNOUNCE, Words, current_words
from .._statement import changes_rows, may_end_name, wants_name
from .._told import Told

# Of psycopg 3 and psycopg2 alike.
_IDLE, _IN_ERROR = 0, 3


class Announcer:
    """Announces who acts before the first statement of a transaction, and gives a bare write a transaction for it."""

    def __init__(self) -> None:
        self._told = Told()

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        connection = context["connection"]
        statement = sql if isinstance(sql, str) else sql.as_string(connection.connection)
        status = connection.connection.info.transaction_status
        if status == _IDLE:
            self._told.begin()
        elif may_end_name(statement):
            self._told.doubt()
        is_bare = status == _IDLE and connection.get_autocommit()
        # Nobody is asked in vain: the answer may be read from the database, which takes this transaction's snapshot.
        wants = changes_rows(statement) if is_bare else wants_name(statement) and status != _IN_ERROR
        words = current_words() if wants else None
        if words is None or not self._told.lacks(words):
            return execute(sql, params, many, context)
        if is_bare:
            return self._alone(connection, words, lambda: execute(sql, params, many, context))
        self._announce(connection, words)
        return execute(sql, params, many, context)

    def _alone(self, connection: Any, words: Words, write: Callable[[], Any]) -> Any:
        """Runs a bare write in a transaction of its own."""
        self._run(connection, "BEGIN")
        try:
            self._announce(connection, words)
            result = write()
            self._run(connection, "COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise
        return result

    def _announce(self, connection: Any, words: Words) -> None:
        with self._told.saying(words):
            self._run(connection, ANNOUNCE, words)

    def _roll_back(self, connection: Any) -> None:
        try:
            self._run(connection, "ROLLBACK")
        except Error:
            # As Django does: what is left of the transaction ends with the connection.
            connection.close()

    def _run(self, connection: Any, statement: str, parameters: Words | None = None) -> None:
        # The driver's own cursor: the application's counts and logs of queries stay as they were.
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
