"""A walk over pages asks a slip again and never takes it for the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from platform_meter.model.source import Answer, Unexpected
from platform_meter.sources.kit.walk import BLANKS, Walk

Ints = list[int]


def asked(*bodies: Ints) -> tuple[Callable[[], Answer[Ints]], list[Ints]]:
    """What answers with these in turn, and those that are left."""
    left = list(bodies)
    return lambda: Answer(body=left.pop(0), headers={}), left


def digest(answer: Answer[Ints]) -> Sequence[int]:
    return tuple(answer.body or ())


def test_a_page_that_repeats_is_asked_for_again() -> None:
    """Then it is another."""
    walk = Walk("/loans")
    ask, left = asked([1, 2], [1, 2], [3])
    assert [walk.page(digest, ask).body for _ in range(2)] == [[1, 2], [3]]
    assert left == []


def test_a_page_that_repeats_for_good_is_an_error() -> None:
    """The first page, some pages later."""
    walk = Walk("/loans")
    ask, _ = asked([1, 2], [3], [1, 2], [1, 2])
    walk.page(digest, ask)
    walk.page(digest, ask)
    with pytest.raises(Unexpected, match=r"^/loans: the same page again and again; its end can't be read$"):
        walk.page(digest, ask)


def test_an_empty_page_is_asked_for_again_where_more_is_promised() -> None:
    """And is taken as it is where nothing is."""
    walk = Walk("/loans")
    ask, left = asked([], [1], [])
    assert walk.page(digest, ask, of=1).body == [1]
    assert walk.page(digest, ask).body == []
    assert left == []


def test_a_list_of_empty_pages_has_an_end() -> None:
    """Some may be empty; many are a list without an end."""
    walk = Walk("/loans")
    ask, _ = asked(*[[]] * (BLANKS + 1))
    for _ in range(BLANKS):
        walk.page(digest, ask)
    with pytest.raises(Unexpected, match="10 pages are empty and more are promised"):
        walk.page(digest, ask)
