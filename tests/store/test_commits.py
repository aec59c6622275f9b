"""Commits as numbers, and events that are found by them for as long as they are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.stores import NOON, Opener, minutes, put, run

from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.gitops import GitopsSync
from platform_meter.store import Store
from platform_meter.store.commits import prefixes, tells

ONE, OTHER = "0123456789abcde" + "f" * 25, "0123456789abcde" + "0" * 25
"""Two commits that begin alike."""


def told(store: Store, *shas: str) -> set[str]:
    with store.history(NOON, []) as history:
        return {row.event.key for row in history.by_commit(PipelineRun, shas)}


@pytest.mark.parametrize(
    ("commits", "found"),
    [
        ((ONE,), {0x123456789ABCDE}),
        ((ONE, OTHER, "f" * 64), {0x123456789ABCDE, 0xFFFFFFFFFFFFFFF}),
        (("F" * 15,), {0xFFFFFFFFFFFFFFF}),
        (("", "f" * 14, "1.4.2-20260601120000", "0x" + "f" * 38, "+" + "f" * 39), set()),
    ],
)
def test_a_commit_is_the_number_that_it_begins_with(commits: tuple[str, ...], found: set[int]) -> None:
    """What is told by fewer digits, or is the name of something else, has none; the largest one fits in 64 bits."""
    assert prefixes(commits) == found


def test_kinds_that_tell_of_commits() -> None:
    """Of others nothing is kept."""
    kinds: list[type[Event]] = [Change, Deployment, GitopsSync, PipelineRun, PipelineJob]
    assert [tells(kind) for kind in kinds] == [True, True, True, True, False]


def test_a_corrected_event_is_found_by_what_it_tells_now(open_store: Opener) -> None:
    """Under its former commit nothing is left, whether found or not."""
    store = open_store()
    put(store, [replace(run("1"), sha="a" * 40), replace(run("2"), sha="a" * 40)])
    assert told(store, "a" * 40) == {"1", "2"}
    put(store, [replace(run("1", updated=NOON + minutes(1)), sha="b" * 40)], NOON + minutes(1))
    assert (told(store, "a" * 40), told(store, "b" * 40)) == ({"2"}, {"1"})
    put(store, [replace(run("1", updated=NOON + minutes(2)), sha="")], NOON + minutes(2))
    assert (told(store, "a" * 40, "b" * 40), store.check()) == ({"2"}, [])


def test_commits_that_begin_alike_are_two(open_store: Opener) -> None:
    """An event of the one is none of the other."""
    store = open_store()
    put(store, [replace(run("1"), sha=ONE), replace(run("2"), sha=OTHER)])
    assert (told(store, ONE), told(store, OTHER), told(store, ONE[:20])) == ({"1"}, {"2"}, set())


def test_what_is_pruned_is_found_no_more(open_store: Opener) -> None:
    """Nor is anything kept of it; later events of the same commit stay."""
    store = open_store(retention=timedelta(days=10))
    later = NOON + timedelta(days=20)
    put(store, [replace(run("1"), sha=ONE)])
    put(store, [replace(run("2", later), sha=ONE)], later)
    assert told(store, ONE) == {"1", "2"}
    assert store.prune(later) == 1
    assert (told(store, ONE), store.check()) == ({"2"}, [])
