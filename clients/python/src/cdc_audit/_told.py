"""What the open transaction of a connection has been told of who acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ._act import Words

# No words of an act equal these: something was told, and it is not known what of it still holds.
_DOUBTFUL = Words(None, None, "")


class Told:
    """The last words that a transaction was told."""

    def __init__(self) -> None:
        self._words: Words | None = None

    def begin(self) -> None:
        """A transaction begins, and has been told nothing."""
        self._words = None

    def doubt(self) -> None:
        """The words may have been taken back. Where nothing was said, nothing can have been."""
        if self._words is not None:
            self._words = _DOUBTFUL

    def lacks(self, words: Words) -> bool:
        """Whether the transaction has to be told these words. It begins as nobody's, which needs no telling."""
        if self._words is None:
            return words.actor is not None
        return words != self._words

    @contextmanager
    def saying(self, words: Words) -> Iterator[None]:
        """Surrounds the announcement. It is noted before, as an announcement is a statement too."""
        self._words = words
        try:
            yield
        except BaseException:
            self.doubt()
            raise
