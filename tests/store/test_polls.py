"""Where a stream stands: what its next poll reads from, and what a broken-off one leaves."""

from __future__ import annotations

from datetime import timedelta

from tests.support.stores import HISTORY, LOOKBACK, NOON, Opener, begin, minutes, put

from platform_meter.model.facts import Ref, Repository
from platform_meter.model.source import Page
from platform_meter.store import Store, StreamState

LATER = NOON + minutes(1)


def state(store: Store) -> StreamState:
    (found,) = store.stream_states()
    return found


def test_the_first_poll_reads_all_history(open_store: Opener) -> None:
    """It has no checkpoint, and events that ended more than its overlap before it are backfill."""
    poll = begin(open_store())
    assert (poll.number, poll.checkpoint, poll.since, poll.now) == (1, None, NOON - HISTORY, NOON)
    assert poll.backfill_before == NOON - LOOKBACK


def test_the_next_poll_reads_from_the_last_ones_start(open_store: Opener) -> None:
    """Less the overlap, behind its checkpoint; what is backfill was settled by the first poll for good."""
    store = open_store()
    poll = begin(store)
    store.write(poll, Page(checkpoint=b"here"), now=NOON)
    store.end_poll(poll, now=NOON + minutes(5))
    following = begin(store, NOON + minutes(6))
    assert (following.number, following.checkpoint, following.since) == (2, b"here", NOON - LOOKBACK)
    assert following.backfill_before == NOON - LOOKBACK
    assert (state(store).watermark, state(store).last_success) == (NOON, NOON + minutes(5))


def test_streams_of_one_source_stand_alone(open_store: Opener) -> None:
    """Each has its place; what is backfill is the source's."""
    store = open_store()
    poll = begin(store, stream="runs")
    store.write(poll, Page(checkpoint=b"runs"), now=NOON)
    other = begin(store, LATER, stream="jobs")
    assert (other.number, other.checkpoint, other.since) == (1, None, LATER - HISTORY)
    assert other.backfill_before == NOON - LOOKBACK
    assert [s.stream for s in store.stream_states()] == ["jobs", "runs"]


def test_a_poll_that_saved_its_place_is_gone_on_with(open_store: Opener) -> None:
    """It keeps its number, and its watermark will be its first start: later events may stand on the pages read."""
    store = open_store()
    store.write(begin(store), Page(checkpoint=b"2"), now=NOON)
    again = begin(store, LATER)
    assert (again.number, again.checkpoint) == (1, b"2")
    store.end_poll(again, now=LATER)
    assert state(store).watermark == NOON


def test_a_poll_that_saved_no_place_begins_again(open_store: Opener) -> None:
    """All of it is read anew, so it is another poll, and its own start is the watermark."""
    store = open_store()
    store.write(begin(store), Page(progress="500 objects"), now=NOON)
    again = begin(store, LATER)
    assert (again.number, again.checkpoint) == (2, None)
    store.end_poll(again, now=LATER)
    assert state(store).watermark == LATER


def test_a_poll_that_begins_anew_gives_up_the_one_under_way(open_store: Opener) -> None:
    """What that one said is over unless it is said again; the checkpoint stays until another is saved."""
    store = open_store()
    gone, stays = (Repository(about=Ref(system="github", kind="repository", id=id_)) for id_ in ("gone", "stays"))
    store.write(begin(store), Page(facts=[gone, stays], checkpoint=b"old"), now=NOON)
    anew = begin(store, LATER, anew=True)
    assert (anew.number, anew.checkpoint) == (2, b"old")
    store.write(anew, Page(facts=[stays], complete=frozenset({Repository})), now=LATER)
    store.end_poll(anew, now=LATER)
    assert state(store).watermark == LATER
    with store.history(LATER, []) as history:
        assert [h.reading.about.id for h in history.readings(Repository)] == ["stays"]


def test_a_failure_is_shown_until_the_next_success(open_store: Opener) -> None:
    """With its time; the success before it stays known. What can't be text in PostgreSQL is left out."""
    store = open_store()
    put(store, [], NOON)
    store.fail_poll(begin(store, LATER), now=LATER, error="no\0 answer")
    failed = state(store)
    assert (failed.last_error, failed.last_error_at, failed.last_success) == ("no answer", LATER, NOON)
    put(store, [], NOON + minutes(2))
    assert (state(store).last_error, state(store).polls) == ("", 3)


def test_progress_is_shown_until_the_poll_is_over(open_store: Opener) -> None:
    """How far a long import is; a page that says nothing leaves it."""
    store = open_store()
    poll = begin(store)
    store.write(poll, Page(progress="2026-03 of acme/pay"), now=NOON)
    store.write(poll, Page(checkpoint=b"1"), now=NOON)
    assert state(store).progress == "2026-03 of acme/pay"
    store.end_poll(poll, now=LATER)
    assert state(store).progress == ""


def test_a_watermark_never_moves_back(open_store: Opener) -> None:
    """Whatever a clock does; and a sign of life leaves it where it is."""
    store = open_store()
    put(store, [], LATER)
    put(store, [], NOON)
    assert state(store).watermark == LATER
    alive = begin(store, LATER + minutes(5))
    store.end_poll(alive, now=LATER + timedelta(minutes=6), complete=False)
    assert (state(store).watermark, state(store).last_success) == (LATER, LATER + minutes(6))
