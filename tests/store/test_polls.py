"""Where a stream stands: what its next poll reads from, and what a broken-off one leaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
    """With its time and kind; the success before it stays known. What can't be text in PostgreSQL is left out."""
    store = open_store()
    put(store, [], NOON)
    store.fail_poll(begin(store, LATER), now=LATER, error="no\0 answer", kind="TimedOut")
    failed = state(store)
    assert (failed.last_error, failed.last_error_at, failed.last_success) == ("no answer", LATER, NOON)
    assert failed.last_error_kind == "TimedOut"
    put(store, [], NOON + minutes(2))
    assert (state(store).last_error, state(store).last_error_kind, state(store).polls) == ("", "", 3)


def test_how_long_the_last_whole_poll_took_is_told(open_store: Opener) -> None:
    """Nothing before the first; one that failed changes nothing."""
    store = open_store()
    poll = begin(store, NOON)
    assert state(store).took is None
    store.end_poll(poll, now=NOON + minutes(3))
    store.fail_poll(begin(store, LATER), now=NOON + minutes(9), error="no answer")
    assert state(store).took == minutes(3)


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


def test_what_is_pushed_is_stored_as_what_is_polled(open_store: Opener) -> None:
    """The same key from both is one event; what is pushed needs no lease, and moves no watermark."""
    store = open_store()
    assert store.acquire("gh", "other", minutes(5), NOON) is not None
    put(store, [run("1")])
    watermark = state(store).watermark
    assert store.take("gh", "github", [run("1"), run("2")], now=LATER, lookback=LOOKBACK).new == 1
    assert store.take("gh", "github", [run("2"), run("1")], now=LATER, lookback=LOOKBACK).repeated == 2
    assert put(store, [run("2"), run("3")], LATER).new == 1
    assert total(store) == 3
    assert (watermark, begin(store, LATER).since) == (NOON, LATER - LOOKBACK)


def test_what_is_pushed_first_begins_the_source(open_store: Opener) -> None:
    """It counts what ended within one overlap; the first poll still reads all history, and counts none of it."""
    store = open_store()
    long_ago = run("0", NOON - minutes(16))
    assert store.take("gh", "github", [long_ago, run("1", NOON - minutes(14))], now=NOON, lookback=LOOKBACK).new == 2
    assert total(store) == 1
    assert store.stream_states() == []
    poll = begin(store, NOON + minutes(10))
    assert (poll.since, poll.backfill_before) == (NOON + minutes(10) - HISTORY, NOON - LOOKBACK)
    store.write(poll, Page(facts=[run("2", NOON - minutes(16)), run("3")]), now=poll.now)
    assert total(store) == 2


def test_replicas_take_what_is_pushed_side_by_side(open_store: Opener) -> None:
    """Two stores at one address, many threads, each delivery to both: counted once."""
    stores = [open_store(), open_store()]
    told = [[run(f"{n}-{one}") for one in range(5)] for n in range(10)]
    with ThreadPoolExecutor(8) as threads:
        takes = [
            threads.submit(store.take, "gh", "github", facts, now=NOON, lookback=LOOKBACK)
            for facts in told
            for store in stores
        ]
        new = sum(take.result().new for take in takes)
    assert new == total(stores[0]) == 50
    assert stores[1].check() == []


def test_a_stream_rests_while_what_it_tells_is_pushed(open_store: Opener) -> None:
    """Both the last delivery and its last whole reading have to be new enough, and nothing may have failed since."""
    store, hour = open_store(), minutes(60)

    def rests(minute: float, stream: str = "runs") -> bool:
        return store.rests("gh", stream, hour, NOON + minutes(minute))

    assert not rests(0)
    store.take("gh", "github", [], now=NOON, lookback=LOOKBACK)
    assert not rests(1)
    put(store, [], NOON + minutes(2))
    assert state(store).pushed == NOON
    assert rests(3)
    assert not rests(3, "jobs")
    assert (rests(59), rests(60)) == (True, False)
    store.take("gh", "github", [run("1")], now=NOON + minutes(59), lookback=LOOKBACK)
    assert (rests(61), rests(62)) == (True, False)
    poll = begin(store, NOON + minutes(62))
    store.write(poll, Page(checkpoint=b"2"), now=poll.now)
    assert not rests(61)
    store.end_poll(poll, now=poll.now)
    assert rests(63)
    store.fail_poll(begin(store, NOON + minutes(64)), now=NOON + minutes(64), error="no answer")
    assert not rests(65)
    assert not rests(-10)
