"""Leases: one replica polls a source, and one that lost it writes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.stores import NOON, Opener, begin, run, total

from platform_meter.model.source import Page
from platform_meter.store import Lease, LeaseLost

TTL = timedelta(seconds=30)


def test_one_holder_at_a_time(open_store: Opener) -> None:
    """Another gets the lease when it ran out or was given back, with a higher token each time."""
    one, two = open_store(), open_store()
    assert one.acquire("gh", "one", TTL, NOON) == 1
    assert two.acquire("gh", "two", TTL, NOON + TTL / 2) is None
    assert one.acquire("gh", "one", TTL, NOON + TTL / 2) == 1
    assert two.acquire("gh", "two", TTL, NOON + TTL) is None
    assert two.acquire("gh", "two", TTL, NOON + TTL * 1.5) == 2
    one.release("gh", "one")
    assert one.acquire("gh", "one", TTL, NOON + TTL * 1.6) is None
    two.release("gh", "two")
    assert one.acquire("gh", "one", TTL, NOON + TTL * 1.6) == 3
    assert one.acquire("other", "two", TTL, NOON) == 1


def test_a_lease_taken_under_a_clock_that_was_ahead_is_taken_over(
    open_store: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """Else nobody would poll for a day. A clock that differs by less than a minute is no reason."""
    one, two = open_store(), open_store()
    one.acquire("gh", "one", TTL, NOON + timedelta(seconds=59))
    assert two.acquire("gh", "two", TTL, NOON) is None
    one.acquire("gh", "one", TTL, NOON + timedelta(days=1))
    assert two.acquire("gh", "two", TTL, NOON) == 2
    ends = (NOON + timedelta(days=1) + TTL).isoformat(timespec="seconds")
    assert [r.getMessage() for r in caplog.records] == [
        f"gh: the lease of one ends at {ends}, so its clock was ahead; it is taken over"
    ]


def test_renewing_keeps_a_lease(open_store: Opener) -> None:
    """Until another took it over."""
    store = open_store()
    store.acquire("gh", "one", TTL, NOON)
    assert store.renew("gh", "one", TTL, NOON + TTL / 2)
    assert store.acquire("gh", "two", TTL, NOON + TTL) is None
    assert store.acquire("gh", "two", TTL, NOON + TTL * 2) == 2
    assert not store.renew("gh", "one", TTL, NOON + TTL * 2)


def test_a_poll_whose_lease_was_taken_over_writes_nothing(open_store: Opener) -> None:
    """Neither a page nor its end; the new holder goes on from the last page written."""
    one, two = open_store(), open_store()
    one.acquire("gh", "one", TTL, NOON)
    poll = begin(one, holder="one")
    one.write(poll, Page(facts=[run("1")], checkpoint=b"1"), now=NOON)
    two.acquire("gh", "two", TTL, NOON + TTL)
    text = "the lease of source gh was lost: two polls it now; nothing was written"
    with pytest.raises(LeaseLost, match=text):
        one.write(poll, Page(facts=[run("2")], checkpoint=b"2"), now=NOON + TTL)
    with pytest.raises(LeaseLost, match=text):
        one.end_poll(poll, now=NOON + TTL)
    with pytest.raises(LeaseLost, match=text):
        one.fail_poll(poll, now=NOON + TTL, error="late")
    assert total(one) == 1
    taken = begin(two, NOON + TTL, holder="two")
    assert (taken.checkpoint, taken.number, taken.token) == (b"1", 1, 2)
    assert two.write(taken, Page(facts=[run("2")]), now=NOON + TTL).new == 1


def test_a_lease_that_ran_out_and_nobody_took_still_writes(open_store: Opener) -> None:
    """A long page is not thrown away for nothing."""
    store = open_store()
    store.acquire("gh", "one", TTL, NOON)
    poll = begin(store, holder="one")
    assert store.write(poll, Page(facts=[run("1")]), now=NOON + 9 * TTL).new == 1


def test_polling_without_a_lease_is_refused(open_store: Opener) -> None:
    """Who says it holds one must."""
    store = open_store()
    with pytest.raises(LeaseLost, match="one holds no lease of source gh; acquire it before polling"):
        begin(store, holder="one")
    assert store.stream_states() == []


def test_every_replica_sees_who_polls(open_store: Opener) -> None:
    """And until when, without a sign of life."""
    one, two = open_store(), open_store()
    one.acquire("gh", "one", TTL, NOON)
    two.acquire("jira", "two", TTL, NOON + TTL)
    with two.history(NOON, ()) as history:
        assert history.leases() == {"gh": Lease("gh", "one", NOON + TTL), "jira": Lease("jira", "two", NOON + 2 * TTL)}
