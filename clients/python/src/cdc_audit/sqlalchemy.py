"""Announces who acts in the transactions of a SQLAlchemy 2 engine, synchronous or asynchronous, ORM or Core.

    engine = create_engine(url)
    announce_actors(engine)
    with acting("mia"), Session(engine) as session: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Text, bindparam, event, text

from ._act import Words, current_words
from ._statement import changes_rows, may_end_name, wants_name
from ._told import Told

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext, ExecutionContext
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["announce_actors"]

_ANNOUNCE = text("SELECT capture.announce(:actor, :request_id, CAST(:context AS jsonb))").bindparams(
    bindparam("actor", type_=Text), bindparam("request_id", type_=Text), bindparam("context", type_=Text)
)
# What the transaction of a database connection has been told, and the bare write that has a transaction made for it.
_TOLD = "cdc_audit.told"
_ALONE = "cdc_audit.alone"
_IDLE = 0


def announce_actors(engine: Engine | AsyncEngine) -> None:
    """Makes each transaction of the engine say who acts, before its first statement; repeating it changes nothing.

    A bare write of a connection in AUTOCOMMIT gets a transaction of its own.

    :raises ValueError: for an engine of another database than PostgreSQL.
    """
    target = engine if isinstance(engine, Engine) else engine.sync_engine
    if target.dialect.name != "postgresql":
        raise ValueError(f"announce_actors works with PostgreSQL; this engine is one of {target.dialect.name}.")
    if event.contains(target, "before_cursor_execute", _before_statement):
        return
    event.listen(target, "begin", _begin)
    event.listen(target, "begin_twophase", _begin)
    event.listen(target, "before_cursor_execute", _before_statement)
    event.listen(target, "after_cursor_execute", _after_statement)
    event.listen(target, "handle_error", _after_error)


def _told(connection: Connection) -> Told:
    told: Told = connection.info.setdefault(_TOLD, Told())
    return told


def _begin(connection: Connection, _xid: Any = None) -> None:
    _told(connection).begin()


def _before_statement(
    connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: ExecutionContext, _many: bool
) -> None:
    told = _told(connection)
    if may_end_name(statement):
        told.doubt()
    if not _may_bear_name(connection, statement):
        return
    words = current_words()
    if words is None:
        return
    if _is_bare(connection):
        if words.actor is not None:
            _begin_alone(connection, words, context)
    elif told.lacks(words):
        _announce(connection, words)


def _may_bear_name(connection: Connection, statement: str) -> bool:
    """Looked at before anybody is asked who acts: the answer may be read by statements, in this very transaction."""
    if _ALONE in connection.info or connection.get_execution_options().get("postgresql_readonly"):
        return False
    return changes_rows(statement) if _is_bare(connection) else wants_name(statement)


def _is_bare(connection: Connection) -> bool:
    """Whether no transaction surrounds a statement. In AUTOCOMMIT the application may have begun one by its own text."""
    pooled = connection.connection
    if pooled.dbapi_connection is None or not connection.dialect.detect_autocommit_setting(pooled.dbapi_connection):
        return False
    driver: Any = pooled.driver_connection
    if hasattr(driver, "is_in_transaction"):
        return not driver.is_in_transaction()
    # Of psycopg 3 and psycopg2; another driver doesn't tell.
    return not hasattr(driver, "info") or driver.info.transaction_status == _IDLE


def _announce(connection: Connection, words: Words) -> None:
    with _told(connection).saying(words):
        connection.execute(_ANNOUNCE, words._asdict()).close()


def _begin_alone(connection: Connection, words: Words, context: ExecutionContext) -> None:
    connection.info[_ALONE] = context
    try:
        connection.exec_driver_sql("BEGIN")
        connection.execute(_ANNOUNCE, words._asdict()).close()
    except BaseException:
        _end_alone(connection, "ROLLBACK")
        raise


def _end_alone(connection: Connection, how: str) -> None:
    connection.info.pop(_ALONE, None)
    connection.exec_driver_sql(how)


def _after_statement(
    connection: Connection, _cursor: Any, _statement: str, _parameters: Any, context: ExecutionContext, _many: bool
) -> None:
    if connection.info.get(_ALONE) is context:
        _end_alone(connection, "COMMIT")


def _after_error(error: ExceptionContext) -> None:
    connection = error.connection
    if connection is None or error.is_disconnect:
        return
    if connection.info.get(_ALONE) is error.execution_context:
        _end_alone(connection, "ROLLBACK")
