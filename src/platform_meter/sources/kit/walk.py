"""A walk over the pages of one list that ends by itself and takes no slip of its system for the end.

A page that came before, or an empty one while more is promised, is asked for again. What is the same then is no slip:
the list can't be read to its end, which is said, and never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from platform_meter.model.source import Answer, Unexpected

A = TypeVar("A")
BLANKS = 10
"""Empty pages in one list; a list with more has no end."""


class Walk:
    """What came of one list so far. A page is known by a digest of its rows: their ids in order."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[Hashable] = set()
        self._blanks = 0

    def page(self, digest: Callable[[Answer[A]], Hashable], ask: Callable[[], Answer[A]], of: int = 0) -> Answer[A]:
        """The next page; `of` is how many more rows were promised.

        Raises:
            Unexpected: it came before, twice, or one of too many is empty.
        """
        answer = self.other(ask(), digest, ask)
        if not digest(answer) and not answer.odd and of > 0:
            answer = self.other(ask(), digest, ask)
        self.saw(digest(answer))
        return answer

    def other(
        self, answer: Answer[A], digest: Callable[[Answer[A]], Hashable], ask: Callable[[], Answer[A]]
    ) -> Answer[A]:
        """The page, or what it is when asked for again where it came before.

        Raises:
            Unexpected: it came before this time too.
        """
        if not self._came(digest(answer)):
            return answer
        answer = ask()
        if self._came(digest(answer)):
            raise Unexpected(f"{self._what}: the same page again and again; its end can't be read")
        return answer

    def saw(self, digest: Hashable) -> None:
        """A page was taken.

        Raises:
            Unexpected: it is one of too many that are empty.
        """
        self._seen.add(digest)
        self._blanks += not digest
        if self._blanks > BLANKS:
            raise Unexpected(f"{self._what}: {BLANKS} pages are empty and more are promised; its end can't be read")

    def _came(self, digest: Hashable) -> bool:
        return bool(digest) and digest in self._seen
