"""What a hook has to know of a statement: what its first word tells."""

from __future__ import annotations

import re

_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*(?:\n|$)|/\*.*?\*/)*([a-z]+)", re.IGNORECASE | re.DOTALL)
_CHANGING_WORD = re.compile(r"\b(?:insert|update|delete|merge)\b", re.IGNORECASE)

_BEGINNING = frozenset({"begin", "start"})
_ENDING = frozenset({"commit", "end", "abort", "rollback", "prepare"})
# An announcement takes a snapshot. No isolation level can be set behind one, and a read behind a lock would be too old.
_BEFORE_A_SNAPSHOT = frozenset({"set", "lock", "reset", "show", "release", "deallocate", "discard", "close", "fetch"})
_SILENT = _BEGINNING | _ENDING | _BEFORE_A_SNAPSHOT
_CHANGING = frozenset({"insert", "update", "delete", "merge", "truncate", "copy"})


def first_word(statement: str) -> str:
    """The first word in lower case, without comments before it; empty where there is none."""
    match = _FIRST_WORD.match(statement)
    return match[1].lower() if match else ""


def wants_name(statement: str) -> bool:
    """Whether the name must be announced before this statement of a transaction."""
    return first_word(statement) not in _SILENT


def changes_rows(statement: str) -> bool:
    """Whether a statement outside a transaction needs one to bear a name. Statements that refuse a transaction don't."""
    word = first_word(statement)
    return word in _CHANGING or (word == "with" and _CHANGING_WORD.search(statement) is not None)


def may_end_name(statement: str) -> bool:
    """Whether what was announced may hold no longer: it ends a transaction, or goes back to a savepoint in it."""
    return first_word(statement) in _ENDING
