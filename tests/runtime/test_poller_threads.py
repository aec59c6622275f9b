"""The poller over time: streams that overlap, watches that end, an end in the middle, and what is told to the outside."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from tests.support.stores import NOON, Opener, configured, run
from tests.support.waiting import PATIENCE

from platform_meter.model.access import Access
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.progress import Progress
from platform_meter.model.source import (
    Expired,
    Forbidden,
    Limited,
    Mode,
    Page,
    Poll,
    Source,
    SourceConfig,
    Stream,
    Unexpected,
    Unreachable,
)
from platform_meter.runtime import poller as module
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.poller import Instance, Poller
from platform_meter.store import Configured, Store, StreamState

SOURCE: Source[SourceConfig] = Source(
    name="github",
    title="GitHub",
    reads="runs",
    needs="nothing",
    config=SourceConfig,
    gives=frozenset({PipelineRun, Repository}),
    access=lambda _: Access(),
    connect=lambda *_: (),
    check=lambda *_: (),
)


@dataclass
class Bench:
    """A real store, a clock that stands, and what the poller told."""

    store: Store
    at: datetime = NOON
    stop: threading.Event = field(default_factory=threading.Event)
    observed: list[tuple[str, float]] = field(default_factory=list)
    progress: list[tuple[str, str]] = field(default_factory=list)
    changes: int = 0

    def change(self) -> None:
        self.changes += 1

    def poller(self, *instances: Instance, holder: str = "me") -> Poller:
        return Poller(
            self.store,
            instances,
            clock=lambda: self.at,
            holder=holder,
            stop=self.stop,
            changed=self.change,
            observe=lambda source, seconds: self.observed.append((source, seconds)),
            imports=Imports(
                lambda instance, text: self.progress.append((instance, text)),
                quota=lambda _: None,
                zone=ZoneInfo("UTC"),
            ),
        )

    def state(self, instance: str = "gh") -> StreamState:
        (found,) = [s for s in self.store.stream_states() if s.instance == instance]
        return found

    def repositories(self) -> list[str]:
        with self.store.history(self.at, [configured("gh", Repository, streams=("s0",))]) as history:
            return sorted(h.reading.about.id for h in history.readings(Repository))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener())
    opener.close()


def instance(*reads: Poll, name: str = "gh", mode: Mode = Mode.POLL, every: timedelta | None = None) -> Instance:
    streams = tuple(
        Stream(name=f"s{n}", read=read, gives=SOURCE.gives, mode=mode, every=every) for n, read in enumerate(reads)
    )
    return Instance(name=name, source=cast("Any", SOURCE), settings=SourceConfig(), streams=streams)


def repositories(*ids: str) -> list[Repository]:
    return [Repository(about=Ref(system="github", kind="repository", id=id_)) for id_ in ids]


ALL = frozenset({Repository})


@contextmanager
def logged(text: str, times: int) -> Iterator[threading.Event]:
    """An event that is set when the poller has logged `text` so often."""
    done = threading.Event()
    seen: list[str] = []

    class Listen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if text in record.getMessage():
                seen.append(record.getMessage())
                if len(seen) >= times:
                    done.set()

    handler = Listen()
    module.log.addHandler(handler)
    try:
        yield done
    finally:
        module.log.removeHandler(handler)


def test_one_stream_is_never_read_twice_at_once_and_skipped_starts_are_counted(bench: Bench) -> None:
    """While a poll lasts, its next starts are skipped, logged and counted; another source goes on meanwhile."""
    go, others = threading.Event(), threading.Event()
    inside, most, polls = 0, 0, 0

    def slow(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        go.wait(PATIENCE)
        inside -= 1
        yield Page(facts=[run("1")])

    def quick(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        nonlocal polls
        polls += 1
        if polls == 3:
            others.set()
        yield Page()

    soon = timedelta(seconds=0.05)
    poller = bench.poller(instance(slow, name="slow", every=soon), instance(quick, name="quick", every=soon))
    with logged("slow/s0: its last poll still runs", 3) as skipped:
        poller.start()
        assert skipped.wait(PATIENCE)
        assert others.wait(PATIENCE)
        bench.stop.set()
        go.set()
        poller.close()
    assert most == 1
    assert poller.late("slow") >= 3


def test_starts_are_spread_only_from_a_minute_on(bench: Bench) -> None:
    """A poll every 59 s keeps its beat, as probes must; one every 60 s or 10 min may move by a tenth."""

    def nothing(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        return iter(())

    seconds = {"probe": 59, "minute": 60, "slow": 600}
    poller = bench.poller(*(instance(nothing, name=n, every=timedelta(seconds=s)) for n, s in seconds.items()))
    assert poller.next("slow", "s0") is None
    poller.start()
    try:
        due, other = poller.next("slow", "s0"), poller.next("slow", "s1")
        assert due is not None
        assert NOON - timedelta(seconds=PATIENCE) < due < NOON + timedelta(seconds=660), "by our clock, not the wall's"
        assert other is None
        assert poller._scheduler is not None
        triggers = {job.id: job.trigger for job in poller._scheduler.get_jobs()}
    finally:
        bench.stop.set()
        poller.close()
    assert {name: trigger.jitter for name, trigger in triggers.items()} == {
        "probe/s0": None,
        "minute/s0": 6,
        "slow/s0": 60,
        "leases": None,
    }
    assert triggers["probe/s0"].interval == timedelta(seconds=59)
    assert triggers["leases"].interval == timedelta(seconds=10), "three signs of life within a lease of 30 s"


def test_a_poll_reads_since_the_last_one_with_an_overlap(bench: Bench) -> None:
    """The first reaches 90 days back; the next reads from 15 min before the last one's start, with its checkpoint."""
    asked: list[tuple[bytes | None, datetime, datetime]] = []

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        asked.append((checkpoint, since, now))
        yield Page(facts=[run("1"), run(str(now))], checkpoint=b"place")

    poller = bench.poller(instance(read))
    (first,) = poller.once()
    bench.at = later = NOON + timedelta(minutes=1)
    (second,) = poller.once()
    assert (first.new, first.repeated) == (2, 0)
    assert (second.new, second.repeated) == (1, 1)
    assert asked == [
        (None, NOON - timedelta(days=90), NOON),
        (b"place", NOON - timedelta(minutes=15), later),
    ]
    assert (bench.state().watermark, bench.state().last_success) == (later, later)


def test_how_long_a_poll_took_is_told_by_source_type(bench: Bench) -> None:
    """Also of one that failed: the time between its start and its end by our clock."""

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        bench.at += timedelta(seconds=3)
        yield Page(progress=Progress(what="issues", done=3))
        bench.at += timedelta(seconds=4)
        raise Unexpected("no JSON", 200)

    (result,) = bench.poller(instance(read)).once()
    assert result.error == "no JSON"
    assert bench.observed == [("github", 7.0)]
    assert bench.progress == [("gh", "importing 3 issues")]
    assert bench.state().last_error_at == NOON + timedelta(seconds=7)


def test_a_quota_is_shared_by_the_streams_of_a_source_and_by_no_other(bench: Bench) -> None:
    """When one stream meets the limit, its sisters rest too; another instance is polled as ever."""
    asked: list[str] = []

    def limited(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        raise Limited("0 of 5,000 calls are left", NOON + timedelta(minutes=5))

    def reading(name: str) -> Poll:
        def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
            asked.append(name)
            yield Page()

        return read

    poller = bench.poller(instance(limited, reading("sister"), name="a"), instance(reading("other"), name="b"))
    results = {(r.instance, r.stream): (r.error, r.skipped) for r in poller.once()}
    assert results == {
        ("a", "s0"): ("0 of 5,000 calls are left", ""),
        ("a", "s1"): ("", "quota used up until 12:05:00"),
        ("b", "s0"): ("", ""),
    }
    assert asked == ["other"]
    assert (poller.paused_until("a"), poller.paused_until("b")) == (NOON + timedelta(minutes=5), None)


def test_what_vanished_before_a_checkpoint_expired_is_over(bench: Bench) -> None:
    """Reading again from the start is a poll of its own: what it does not say any more no longer holds."""

    def read(checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        if checkpoint is not None:
            raise Expired("410, what we asked to go on from is no longer kept")
        yield Page(facts=repositories(*said), checkpoint=b"old", complete=ALL)

    poller = bench.poller(instance(read))
    said: Sequence[str] = ("a", "b")
    poller.once()
    assert bench.repositories() == ["a", "b"]
    said = ("a",)
    bench.at += timedelta(minutes=1)
    (result,) = poller.once()
    assert (result.error, result.skipped) == ("", "")
    assert bench.repositories() == ["a"]


def test_what_an_unfinished_poll_said_does_not_outlive_its_expired_checkpoint(bench: Bench) -> None:
    """A poll that broke off after its first page and can't go on begins anew: what it said then counts as said no more."""

    def read(checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        if checkpoint is not None:
            raise Expired("410, what we asked to go on from is no longer kept")
        yield Page(facts=repositories(*said), checkpoint=b"page 2")
        if fails:
            raise Unreachable("no answer")
        yield Page(complete=ALL)

    said: Sequence[str] = ("a", "gone")
    fails = True
    poller = bench.poller(instance(read))
    poller.once()
    said = ("a",)
    fails = False
    bench.at += timedelta(days=2)
    (result,) = poller.once()
    assert result.error == ""
    assert bench.repositories() == ["a"]


def test_a_list_that_broke_off_is_listed_anew(bench: Bench) -> None:
    """Within its list a watch saves no place to go on from: what only the first try said is over after the second."""
    told = [repositories("a", "gone"), repositories("a")]

    def watch(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=told.pop(0), progress=Progress(what="objects", done=2))
        if told:
            raise Unreachable("no answer")
        yield Page(checkpoint=b"7", complete=ALL, caught_up=True)

    poller = bench.poller(instance(watch, mode=Mode.WATCH))
    poller.once()
    bench.at += timedelta(minutes=1)
    poller.once()
    assert bench.repositories() == ["a"]


def test_a_stop_in_the_middle_leaves_the_poll_to_be_gone_on_with(bench: Bench) -> None:
    """Its first page is kept and it is not done; the next start goes on from there, and only then is all said."""

    def first(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=[*repositories("a", "gone"), run("1")], checkpoint=b"", complete=ALL)

    def halted(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=[*repositories("a"), run("2")], checkpoint=b"2")
        bench.stop.set()
        yield Page(facts=[*repositories("never stored"), run("3")], checkpoint=b"3", complete=ALL)

    def rest(checkpoint: bytes | None, since: datetime, _now: datetime) -> Iterator[Page]:
        seen.append((checkpoint, since))
        yield Page(facts=[*repositories("b"), run("3")], checkpoint=b"3", complete=ALL)

    seen: list[tuple[bytes | None, datetime]] = []
    bench.poller(instance(first)).once()
    bench.at = halt = NOON + timedelta(minutes=1)
    (result,) = bench.poller(instance(halted)).once()
    assert (result.new, result.error, result.skipped) == (1, "", "")
    assert (bench.state().watermark, bench.state().last_success) == (NOON, NOON)
    assert bench.repositories() == ["a", "gone"]

    bench.stop = threading.Event()
    bench.at = NOON + timedelta(minutes=9)
    (result,) = bench.poller(instance(rest)).once()
    assert (result.new, seen) == (1, [(b"2", NOON - timedelta(minutes=15))])
    assert bench.state().watermark == halt, "what ended between the two starts may stand on the page read before"
    assert bench.repositories() == ["a", "b"]


def test_a_stream_that_ends_because_we_stop_is_not_done(bench: Bench) -> None:
    """A call that is cut short may end the pages without an error: that all was said is not known."""

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=[run("1")], checkpoint=b"1")
        bench.stop.set()

    (result,) = bench.poller(instance(read)).once()
    assert (result.new, result.error) == (1, "")
    assert (bench.state().watermark, bench.state().last_success) == (None, None)


def test_one_round_of_a_watch_ends_when_it_has_said_all_that_stands(bench: Bench) -> None:
    """It lists anew whatever its checkpoint, is done only behind its list, and its connection is closed."""
    asked: list[bytes | None] = []
    states: list[datetime | None] = []
    closed: list[bool] = []

    def watch(checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        asked.append(checkpoint)
        try:
            yield Page(facts=repositories("a"))
            states.append(bench.state().last_success)
            yield Page(facts=repositories("b"), checkpoint=b"7", complete=ALL, caught_up=True)
            yield Page(facts=repositories("news"), checkpoint=b"8")
        finally:
            closed.append(True)

    poller = bench.poller(instance(watch, mode=Mode.WATCH))
    poller.once()
    bench.at += timedelta(minutes=1)
    poller.once()
    assert asked == [None, None]
    assert states == [None, NOON], "half a list is no success"
    assert closed == [True, True]
    assert bench.repositories() == ["a", "b"]
    assert bench.state().last_success == bench.at


def test_what_a_watch_tells_holds_from_when_it_tells_it(bench: Bench) -> None:
    """Its watermark moves with each page, and ends with the page that `gone` ended a reading."""

    def watch(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=repositories("a", "b"), checkpoint=b"1", complete=ALL, caught_up=True)
        bench.at += timedelta(minutes=10)
        yield Page(gone=[(Repository, "repository/b")], checkpoint=b"2")

    one = instance(watch, mode=Mode.WATCH)
    bench.poller(one).run(one, one.streams[0])
    assert bench.state().watermark == NOON + timedelta(minutes=10)
    assert bench.repositories() == ["a"]
    with bench.store.history(bench.at, [configured("gh", Repository)]) as history:
        before = history.readings(Repository, at=NOON + timedelta(minutes=9))
    assert sorted(h.reading.about.id for h in before) == ["a", "b"]


class Waits(threading.Event):
    """A stop that notes how long it was to be waited for, does not wait, and is set after so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.noted: list[float] = []
        self._times = times
        self.reached = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.noted.append(timeout or 0.0)
        if len(self.noted) >= self._times:
            self.set()
            self.reached.set()
        return self.is_set()


def test_a_watch_that_is_refused_is_tried_ever_more_seldom(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 10 min apart; a failure of another kind is tried again as soon as any."""
    bench.stop = waits = Waits(12)
    told = iter([Forbidden("403")] * 10 + [Unreachable("refused"), None])

    def watch(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        failure = next(told)
        if failure is not None:
            raise failure
        yield Page(checkpoint=b"here")

    monkeypatch.setattr("platform_meter.runtime.poller.random.uniform", lambda *_: 1.0)
    poller = bench.poller(instance(watch, mode=Mode.WATCH))
    poller.start()
    assert waits.reached.wait(PATIENCE)
    for thread in poller._threads:
        thread.join(PATIENCE)
    poller.close()
    assert waits.noted == [1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 600.0, 30.0, 0.1]


def test_a_watch_that_fails_is_tried_again_with_growing_pauses(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 1, 2, 5, 15 and 30 s by failures in a row; a success begins anew; one that ended well returns at once."""
    bench.stop = waits = Waits(9)
    told = iter([Unreachable("refused")] * 6 + [None, Unreachable("refused"), None])
    asked: list[bytes | None] = []

    def watch(checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        asked.append(checkpoint)
        failure = next(told)
        if failure is not None:
            raise failure
        yield Page(checkpoint=b"here")

    def unspread(low: float, high: float) -> float:
        assert (low, high) == (0.8, 1.2)
        return 1.0

    monkeypatch.setattr("platform_meter.runtime.poller.random.uniform", unspread)
    poller = bench.poller(instance(watch, mode=Mode.WATCH))
    poller.start()
    assert waits.reached.wait(PATIENCE)
    for thread in poller._threads:
        thread.join(PATIENCE)
    poller.close()
    assert waits.noted == [1.0, 2.0, 5.0, 15.0, 30.0, 30.0, 0.1, 1.0, 0.1]
    assert asked == [None] * 7 + [b"here"] * 2, "it goes on from its last checkpoint"


def test_a_watch_of_what_is_not_there_rests(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as its last page says; that is no failure."""
    bench.stop = waits = Waits(2)

    def watch(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(checkpoint=b"none", again=timedelta(minutes=5))

    monkeypatch.setattr("platform_meter.runtime.poller.random.uniform", lambda *_: 1.0)
    poller = bench.poller(instance(watch, mode=Mode.WATCH))
    poller.start()
    assert waits.reached.wait(PATIENCE)
    for thread in poller._threads:
        thread.join(PATIENCE)
    poller.close()
    assert waits.noted == [300.0, 300.0]


def test_a_lease_is_held_for_as_long_as_the_poller_lives(bench: Bench) -> None:
    """Signs of life keep it beyond its length; closing gives it back before it ran out."""

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page()

    poller = bench.poller(instance(read))
    poller.once()
    bench.at += timedelta(seconds=20)
    poller._renew()
    bench.at += timedelta(seconds=20)
    other: Callable[[], int | None] = lambda: bench.store.acquire("gh", "other", timedelta(seconds=30), bench.at)  # noqa: E731 - short
    assert other() is None
    bench.stop.set()
    poller.close()
    assert other() is not None


def test_a_watch_is_no_poll_of_some_minutes(bench: Bench) -> None:
    """It lasts as long as the server lets it: that is not how long a poll takes."""

    def watch(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(checkpoint=b"1", complete=ALL)
        bench.at += timedelta(minutes=5)

    one = instance(watch, mode=Mode.WATCH)
    bench.poller(one).run(one, one.streams[0])
    assert bench.observed == []


def test_polls_that_take_longer_than_their_interval_are_no_failure(bench: Bench) -> None:
    """Every minute one of 3 min: its source stays fresh between any two successes, and is stale after three that fail."""

    def slow(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        fresh.append(is_fresh())
        bench.at += timedelta(minutes=3)
        fresh.append(is_fresh())
        yield Page(facts=[run("1")])

    def is_fresh() -> bool:
        streams = tuple(one.expected(s) for s in one.streams)
        with bench.store.history(bench.at, [Configured(instance="gh", type="github", streams=streams)]) as history:
            return history.sources()[0].fresh

    fresh: list[bool] = []
    one = instance(slow, every=timedelta(minutes=1))
    poller = bench.poller(one)
    for _ in range(3):
        poller.once()
        bench.at += timedelta(minutes=1)
    assert fresh == [False, False, True, True, True, True]
    bench.at += timedelta(minutes=8)
    assert is_fresh()
    bench.at += timedelta(seconds=1)
    assert not is_fresh()
