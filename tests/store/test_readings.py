"""Readings: from the poll that first says them to the poll that no longer does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.support.stores import NOON, Opener, begin, counted, minutes, put

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.kubernetes import Node, NodeState
from platform_meter.model.source import Page
from platform_meter.store import Store

ALL = frozenset({Repository})


def repo(name: str, *, archived: bool = False, labels: tuple[tuple[str, str], ...] = ()) -> Repository:
    return Repository(about=Ref(system="github", kind="repository", id=name, labels=labels), archived=archived)


def held(store: Store, at: datetime | None = None, **which: str) -> list[tuple[str, bool, datetime, datetime | None]]:
    with store.history(NOON, []) as history:
        found = history.readings(Repository, at=at, **which)
        return [(h.reading.about.id, h.reading.archived, h.start, h.until) for h in found]


def say(store: Store, now: datetime, *names: str, complete: frozenset[type[Repository]] = ALL) -> None:
    put(store, [repo(n) for n in names], now, complete=complete)


def test_a_reading_holds_until_a_complete_poll_leaves_it_out(open_store: Opener) -> None:
    """It begins and ends at starts of polls; unchanged it stays one interval."""
    store = open_store()
    say(store, NOON, "a", "b")
    say(store, NOON + minutes(1), "a", "b")
    say(store, NOON + minutes(2), "a")
    assert held(store) == [("a", False, NOON, None)]
    assert held(store, NOON + minutes(1.9)) == [("a", False, NOON, None), ("b", False, NOON, NOON + minutes(2))]
    assert held(store, NOON + minutes(2)) == [("a", False, NOON, None)]
    assert held(store, NOON - minutes(1)) == []
    assert held(store, source="other") == []


def test_an_incomplete_poll_ends_nothing(open_store: Opener) -> None:
    """Only what is declared complete is."""
    store = open_store()
    say(store, NOON, "a", "b")
    say(store, NOON + minutes(1), "a", complete=frozenset())
    assert len(held(store)) == 2


def test_a_poll_of_many_pages_is_complete_as_a_whole(open_store: Opener) -> None:
    """What an earlier page of the same poll said is not over, also when a kill parted the pages."""
    store = open_store()
    say(store, NOON, "a", "b", "c")
    poll = begin(store, NOON + minutes(1))
    store.write(poll, Page(facts=[repo("a")], checkpoint=b"1"), now=NOON + minutes(1))
    gone_on = begin(store, NOON + minutes(9))
    store.write(gone_on, Page(facts=[repo("c")], complete=ALL), now=NOON + minutes(9))
    store.end_poll(gone_on, now=NOON + minutes(9))
    assert [name for name, *_ in held(store)] == ["a", "c"]


def test_a_changed_reading_is_a_new_interval(open_store: Opener) -> None:
    """The old one ends where the new one begins."""
    store = open_store()
    put(store, [repo("a")])
    put(store, [repo("a", archived=True)], NOON + minutes(5))
    assert held(store) == [("a", True, NOON + minutes(5), None)]
    assert held(store, NOON + minutes(4)) == [("a", False, NOON, NOON + minutes(5))]


def test_a_watch_says_what_is_gone(open_store: Opener) -> None:
    """`gone` ends a reading; what is not held is no error; the same page saying it again wins."""
    store = open_store()
    put(store, [repo("a"), repo("b")])
    gone = [(Repository, "repository/a"), (Repository, "repository/b"), (Repository, "repository/never")]
    put(store, [repo("b")], NOON + minutes(1), gone=gone)
    assert held(store) == [("b", False, NOON, None)]


def test_a_watch_goes_on_with_its_poll(open_store: Opener) -> None:
    """Once its poll ended, what a watch says holds from when it says it: no change is lost between two polls."""
    store = open_store()
    poll = begin(store)
    for after, archived in ((0, False), (2, True), (4, False)):
        store.write(poll, Page(facts=[repo("a", archived=archived)]), now=NOON + minutes(after))
        store.end_poll(poll, now=NOON + minutes(after))
    spans = [held(store, NOON + minutes(m))[0] for m in (1, 3, 5)]
    assert spans == [
        ("a", False, NOON, NOON + minutes(2)),
        ("a", True, NOON + minutes(2), NOON + minutes(4)),
        ("a", False, NOON + minutes(4), None),
    ]


def test_two_words_of_one_moment_are_the_last_one(open_store: Opener) -> None:
    """A reading that held for no time leaves nothing behind."""
    store = open_store()
    poll = begin(store)
    store.write(poll, Page(facts=[repo("a"), repo("b")]), now=NOON)
    store.write(poll, Page(facts=[repo("a", archived=True)], gone=[(Repository, "repository/b")]), now=NOON)
    assert held(store) == [("a", True, NOON, None)]
    assert held(store, NOON) == [("a", True, NOON, None)]


def test_streams_and_kinds_do_not_end_each_other(open_store: Opener) -> None:
    """A complete poll speaks for its own stream and the types it names."""
    store = open_store()
    node = Node(about=Ref(system="kubernetes", kind="node", id="c/n"), cluster="c", state=NodeState.READY)
    put(store, [repo("a"), node])
    other = begin(store, NOON + minutes(1), stream="archived")
    store.write(other, Page(facts=[repo("z", archived=True)], complete=ALL), now=NOON + minutes(1))
    say(store, NOON + minutes(2))
    assert [name for name, *_ in held(store)] == ["z"]
    with store.history(NOON, []) as history:
        assert [h.reading for h in history.readings(Node)] == [node]


def test_changed_labels_are_told_and_resolved(open_store: Opener) -> None:
    """Newer labels replace older ones, never the other way round."""
    store = open_store()
    put(store, [repo("a", labels=(("team", "x"),))], NOON + minutes(60))
    put(store, [repo("a")], NOON)
    with store.history(NOON, []) as history:
        assert [h.reading.about.labels for h in history.readings(Repository)] == [()]
    assert store._objects._known["gh", "repository", "github:a"].labels == (("team", "x"),)


def test_a_reading_that_can_not_be_stored_is_refused(open_store: Opener) -> None:
    """By reason, like events."""
    store = open_store()
    naive = Repository(about=repo("a").about, since=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
    facts: Sequence[Repository] = [naive, repo("b\0"), repo("c")]
    assert put(store, facts).rejected == {"naive": 1, "invalid": 1}
    assert [name for name, *_ in held(store)] == ["c"]
    refused = counted(store, "platform_meter_events_rejected_total")
    assert refused == {("github", "Repository", "naive"): 1, ("github", "Repository", "invalid"): 1}


def test_many_readings_take_one_page(open_store: Opener) -> None:
    """More than one batch of keys at once."""
    store = open_store()
    names = [f"r{n:04}" for n in range(2100)]
    say(store, NOON, *names)
    say(store, NOON + timedelta(minutes=1), *names[:100])
    assert [name for name, *_ in held(store)] == names[:100]
