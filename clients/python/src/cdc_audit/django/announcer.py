"""The wrapper around a connection's statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from .._act import ANNOUNCE, Words, current_words
from .._statement import changes_rows, undoes_name, wants_name

# Of psycopg 3 and psycopg2 alike.
_IDLE, _IN_ERROR = 0, 3


class Announcer:
    """Announces who acts before the first statement of a transaction, and gives a bare write a transaction for it."""

    def __init__(self) -> None:
        self._told: Words | None = None

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        connection = context["connection"]
        statement = sql if isinstance(sql, str) else sql.as_string(connection.connection)
        status = connection.connection.info.transaction_status
        if status == _IDLE or undoes_name(statement):
            self._told = None
        words = None if status == _IN_ERROR else current_words()
        if words is None:
            return execute(sql, params, many, context)
        if status == _IDLE and connection.get_autocommit():
            if not changes_rows(statement):
                return execute(sql, params, many, context)
            with transaction.atomic(using=connection.alias):
                self._announce(connection, words)
                return execute(sql, params, many, context)
        if words != self._told and wants_name(statement):
            self._announce(connection, words)
        return execute(sql, params, many, context)

    def _announce(self, connection: Any, words: Words) -> None:
        # The driver's own cursor: the application's counts and logs of queries stay as they were.
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(ANNOUNCE, words)
        self._told = words
