"""What is a rollback."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

import pytest

from platform_meter.sources.kit.served import (
    PLACES_KEPT,
    SERVED_KEPT,
    brings_back,
    goes_back,
    last_before,
    remember,
)


@pytest.mark.parametrize(
    ("before", "version", "back"),
    [
        ("", "a", False),
        ("ab", "c", False),
        ("ab", "a", True),
        ("ab", "b", False),
        ("aba", "a", False),
        ("aba", "b", False),
        ("abc", "b", True),
    ],
)
def test_what_served_before_the_present_one_goes_back(before: str, version: str, back: bool) -> None:
    """By when each served first: what a rollback has just undone is no rollback when it is tried again."""
    assert goes_back(before, version) is back


@dataclass
class _Rollout:
    id: int
    sha: str


_ORDER = attrgetter("id")


def test_what_served_later_says_nothing() -> None:
    """Rollouts are told in any order; each is judged by those that came before it."""
    served: dict[str, list[_Rollout]] = {}
    for one in (_Rollout(3, "c"), _Rollout(1, "a"), _Rollout(2, "b")):
        remember(served, "production", one, _ORDER)
    assert [one.sha for one in served["production"]] == ["a", "b", "c"]
    assert brings_back(served["production"], _Rollout(4, "b"), _ORDER)
    assert not brings_back(served["production"], _Rollout(2, "b"), _ORDER)


def test_what_served_when_one_came_is_the_last_before_it() -> None:
    """Not itself, where it is told again, nor what came later; the first one has none."""
    served = [_Rollout(1, "a"), _Rollout(3, "c"), _Rollout(4, "d")]
    assert last_before(served, _Rollout(3, "c"), _ORDER) == _Rollout(1, "a")
    assert last_before(served, _Rollout(9, "e"), _ORDER) == _Rollout(4, "d")
    assert last_before(served, _Rollout(1, "a"), _ORDER) is None
    assert last_before([], _Rollout(1, "a"), _ORDER) is None


def test_only_the_last_are_kept() -> None:
    """Of a place, and of places; what is told again stands once."""
    served: dict[str, list[_Rollout]] = {}
    for id_ in (*range(SERVED_KEPT + 1), SERVED_KEPT):
        remember(served, "production", _Rollout(id_, f"{id_}"), _ORDER)
    assert [one.id for one in served["production"]] == [*range(1, SERVED_KEPT + 1)]
    for id_ in range(PLACES_KEPT):
        remember(served, f"pr-{id_}", _Rollout(id_, "a"), _ORDER)
    assert [*served] == [f"pr-{id_}" for id_ in range(PLACES_KEPT)]
