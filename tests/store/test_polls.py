"""Where a stream stands: what its next poll reads from, and what a broken-off one leaves."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.support.stores import HISTORY, LOOKBACK, NOON, Opener, begin, configured, minutes, put, run, total

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.store import Store, StreamState
from platform_meter.store.database import Database
from platform_meter.store.schema import streams

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
    store.write(begin(store), Page(progress=Progress(what="objects", done=500)), now=NOON)
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
    far = Progress(what="repositories of acme", done=3, of=9, back_to=NOON)
    poll = begin(store)
    store.write(poll, Page(progress=far), now=NOON)
    store.write(poll, Page(checkpoint=b"1"), now=NOON)
    assert state(store).progress == far
    store.end_poll(poll, now=LATER)
    assert state(store).progress is None


def test_a_watermark_never_moves_back(open_store: Opener) -> None:
    """Also when a poll that began earlier ends later."""
    store = open_store()
    slow = begin(store, NOON)
    store.end_poll(begin(store, LATER), now=LATER)
    store.end_poll(slow, now=NOON + minutes(2))
    assert (state(store).watermark, state(store).last_success) == (LATER, NOON + minutes(2))


def test_a_watermark_that_is_still_to_come_is_taken_back(open_store: Opener, caplog: pytest.LogCaptureFixture) -> None:
    """A clock that was ahead by less than the overlap keeps no later poll from reading, nor windows from ending at it."""
    store = open_store()
    put(store, [], NOON + LOOKBACK, checkpoint=b"here")
    poll = begin(store, NOON)
    assert (poll.since, poll.checkpoint, caplog.messages) == (NOON - LOOKBACK, b"here", [])
    store.end_poll(poll, now=LATER)
    assert (state(store).watermark, state(store).last_success) == (NOON, LATER)


def test_what_was_read_under_a_clock_far_ahead_is_read_again(
    open_store: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """The source's place was kept under it too, and no overlap reaches behind it: as in a first poll, and told once."""
    store = open_store()
    put(store, [run("1")], NOON, checkpoint=b"here")
    put(store, [], NOON + LOOKBACK + minutes(1), checkpoint=b"there")
    poll = begin(store, NOON)
    assert (poll.since, poll.checkpoint, poll.number) == (NOON - HISTORY, None, 3)
    (told,) = caplog.messages
    assert told == (
        "gh/runs: its last poll began at 2026-06-01 12:16:00+00:00, which is still to come: "
        "a clock was ahead, or this one is behind; reading all of its history again"
    )
    assert store.write(poll, Page(facts=[run("1")], checkpoint=b"1"), now=NOON).repeated == 1
    again = begin(store, LATER)
    assert (again.number, again.checkpoint, len(caplog.messages)) == (3, b"1", 1), "a poll like any other"
    store.end_poll(again, now=LATER)
    assert (state(store).watermark, total(store)) == (NOON, 1)


def test_a_first_poll_under_a_clock_that_was_ahead_makes_no_backfill(open_store: Opener) -> None:
    """What ended after the overlap of the first poll that knew the time is news, and is counted."""
    store = open_store()
    put(store, [], NOON + minutes(120))
    assert put(store, [run("old", NOON - minutes(20)), run("new")], LATER).new == 2
    assert total(store) == 1


def test_how_long_a_poll_took_is_kept(open_store: Opener) -> None:
    """Of the last that was complete: of one gone on with its last run; one that failed says nothing."""
    store = open_store()

    def fresh(now: datetime) -> bool:
        with store.history(now, [configured()]) as history:
            return history.sources()[0].fresh

    store.end_poll(begin(store), now=NOON + minutes(4))
    assert (fresh(NOON + minutes(16)), fresh(NOON + minutes(16.1))) == (True, False)
    store.fail_poll(begin(store, NOON + minutes(16)), now=NOON + minutes(26), error="no answer")
    assert not fresh(NOON + minutes(26))
    store.write(begin(store, NOON + minutes(30)), Page(checkpoint=b"1"), now=NOON + minutes(30))
    store.end_poll(begin(store, NOON + minutes(60)), now=NOON + minutes(62))
    assert (fresh(NOON + minutes(68)), fresh(NOON + minutes(68.1))) == (True, False)


def test_progress_in_plain_words_of_an_earlier_release_is_not_shown(open_store: Opener) -> None:
    """It is none until the next page says it as a value."""
    store = open_store()
    poll = begin(store)
    store.write(poll, Page(progress=Progress(what="issues")), now=NOON)
    database = Database(open_store.url)
    with database.write() as conn:
        conn.execute(streams.update().values(progress="2026-03 of acme/pay"))
    database.close()
    assert state(store).progress is None


def test_a_poll_knows_whether_it_is_the_first(open_store: Opener) -> None:
    """Until one was whole, also one that goes on with another."""
    store = open_store()
    store.write(begin(store), Page(checkpoint=b"1"), now=NOON)
    again = begin(store)
    store.end_poll(again, now=NOON)
    assert [again.first, begin(store).first] == [True, False]
