"""The poller: each stream's failures end with it, quota and leases are kept, and stopping loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from tests.support.stores import NOON, Opener, run
from tests.support.waiting import until

from platform_meter.model.access import Access
from platform_meter.model.facts import Fact
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.instances import Instances
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.progress import Progress
from platform_meter.model.push import Receiver
from platform_meter.model.source import Expired, Limited, Mode, Page, Refused, Source, SourceConfig, Stream, Unreachable
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.poller import Instance, Poller
from platform_meter.store import ConfiguredStream, Store, StoreError

Read = Callable[[bytes | None, datetime, datetime], Iterator[Page]]
EVERY = timedelta(minutes=1)


@dataclass
class Bench:
    """A poller on a real store with a clock that stands."""

    store: Store
    at: datetime = NOON
    stop: threading.Event = field(default_factory=threading.Event)
    changes: int = 0
    observed: list[tuple[str, float]] = field(default_factory=list)
    progress: list[tuple[str, str]] = field(default_factory=list)
    kept: int = 0

    def keep(self) -> None:
        self.kept += 1

    def change(self) -> None:
        self.changes += 1

    def poller(self, *instances: Instance, holder: str = "me", store: Store | None = None) -> Poller:
        return Poller(
            store or self.store,
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
            keep=self.keep,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener())
    opener.close()


def instance(name: str, *reads: Read, mode: Mode = Mode.POLL, settings: SourceConfig | None = None) -> Instance:
    source = Source(
        name="github",
        title="GitHub",
        reads="runs",
        needs="nothing",
        config=SourceConfig,
        gives=frozenset({PipelineRun}),
        access=lambda _: Access(),
        connect=lambda *_: (),
        check=lambda *_: (),
    )
    streams = tuple(Stream(name=f"s{n}", read=read, gives=source.gives, mode=mode) for n, read in enumerate(reads))
    return Instance(name=name, source=cast("Any", source), settings=settings or SourceConfig(), streams=streams)


def says(*facts: PipelineRun) -> Read:
    return lambda _checkpoint, _since, _now: iter(
        [Page(facts=facts, checkpoint=b"here", progress=Progress(what="on the way"))]
    )


def fails(error: Exception) -> Read:
    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=[run("before")])
        raise error

    return read


def stored(bench: Bench) -> Sequence[tuple[str, str, str]]:
    return [(s.instance, s.stream, s.last_error) for s in bench.store.stream_states()]


def test_a_failure_stays_with_its_stream(bench: Bench) -> None:
    """Whatever one source raises, declared or not, the others are read; what it said before stays stored."""
    good, down = instance("good", says(run("1"), run("2"))), instance("down", fails(Unreachable("no answer")))
    odd = instance("odd", fails(KeyError("status")))
    results = {r.instance: r for r in bench.poller(good, down, odd).once()}
    assert (results["good"].new, results["good"].error) == (2, "")
    assert results["down"].error == "no answer"
    assert results["odd"].error == "KeyError: 'status'"
    assert stored(bench) == [("down", "s0", "no answer"), ("good", "s0", ""), ("odd", "s0", "KeyError: 'status'")]
    kinds = [(s.instance, s.last_error_kind) for s in bench.store.stream_states()]
    assert kinds == [("down", "Unreachable"), ("good", ""), ("odd", "KeyError")]
    assert bench.progress == [("good", "importing on the way"), ("good", "imported on the way")]
    assert bench.kept == 1
    assert len(bench.observed) == 3
    assert bench.changes >= 4


def test_a_refused_source_is_tried_again(bench: Bench) -> None:
    """A poll after a failure goes on from the checkpoint, and clears what the page showed."""
    errors: list[Exception] = [Refused("401")]

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        if errors:
            raise errors.pop()
        yield Page(facts=[run("1")])

    one = instance("gh", read)
    poller = bench.poller(one)
    assert [r.error for r in poller.once()] == ["401"]
    assert [(r.error, r.new) for r in poller.once()] == [("", 1)]
    assert stored(bench) == [("gh", "s0", "")]


def test_a_used_up_quota_rests_until_it_is_back(bench: Bench) -> None:
    """Until then the source is not asked; afterwards it is."""
    back = NOON + timedelta(minutes=10)
    asked: list[datetime] = []

    def read(_checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        asked.append(now)
        if len(asked) == 1:
            raise Limited("the quota is used up", back)
        yield Page()

    one = instance("gh", read)
    poller = bench.poller(one)
    assert poller.once()[0].error == "the quota is used up"
    assert poller.paused_until("gh") == back
    assert poller.once()[0].skipped == "quota used up until 12:10:00"
    bench.at = back
    assert (poller.once()[0].error, poller.paused_until("gh")) == ("", None)
    assert asked == [NOON, back]


def test_an_expired_place_is_read_from_the_start(bench: Bench) -> None:
    """A source whose cursor is too old is read without it, in the same poll."""
    seen: list[bytes | None] = []

    def read(checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        seen.append(checkpoint)
        if checkpoint == b"old":
            raise Expired("410")
        yield Page(checkpoint=b"old")

    poller = bench.poller(instance("gh", read))
    poller.once()
    assert poller.once()[0].error == ""
    assert seen == [None, b"old", None]


def test_another_replica_holds_the_lease(bench: Bench) -> None:
    """Who does not hold the lease does not poll; once it has run out, another one takes over."""
    one = instance("gh", says(run("1")))
    assert bench.poller(one, holder="first").once()[0].new == 1
    other = bench.poller(one, holder="second")
    assert other.once()[0].skipped == "another replica polls it"
    bench.at += timedelta(seconds=31)
    assert other.once()[0].skipped == ""


def test_a_lease_lost_in_the_middle_writes_no_more(bench: Bench) -> None:
    """Pages, and the failure, of a replica that another one took over from are refused; nothing breaks."""

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=[run("1")])
        later = NOON + timedelta(minutes=5)
        assert bench.store.acquire("gh", "other", EVERY, later) is not None
        yield Page(facts=[run("2")])

    def failing(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        yield from list(read(checkpoint, since, now))[:0]
        raise Unreachable("no answer")

    for reading in (read, failing):
        bench.store.release("gh", "other")
        assert bench.poller(instance("gh", reading)).once()[0].skipped == "another replica took over"


def test_a_store_that_fails_ends_no_thread(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """While the store can't be used a poll gives an error instead of raising: a watch's thread must go on."""

    class Broken:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def acquire(self, *_: object) -> int:
            raise self.error

    one = instance("gh", says())

    def failing(error: Exception) -> str:
        return bench.poller(one, store=cast("Store", Broken(error))).run(one, one.streams[0]).error

    assert failing(OSError("no space left")) == "OSError: no space left"
    assert failing(StoreError("the store at db failed: gone")) == "the store at db failed: gone"
    assert [r.levelname for r in caplog.records if r.exc_info] == ["ERROR"], "what is declared needs no trace"


def test_a_page_that_can_not_be_stored_is_a_failure_to_be_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store that refuses it still tells the Sources page why."""

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("the store at db failed: out of range")

    monkeypatch.setattr(bench.store, "write", refuse)
    assert bench.poller(instance("gh", says(run("1")))).once()[0].error == "the store at db failed: out of range"
    assert stored(bench) == [("gh", "s0", "the store at db failed: out of range")]


def test_only_ones_own_leases_are_given_back(bench: Bench) -> None:
    """A process that never polled, since it could not even start, takes nothing from one of the same name that runs."""
    one = instance("gh", says(run("1")))
    bench.poller(one).once()
    bench.poller(one).close()
    assert bench.store.acquire("gh", "other", EVERY, NOON) is None


def test_a_lease_that_can_not_be_given_back_ends_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is gone does not keep us from ending."""

    def refuse(*_: object) -> None:
        raise StoreError("gone")

    poller = bench.poller(instance("gh", says()))
    poller.once()
    monkeypatch.setattr(bench.store, "release", refuse)
    poller.close()


def test_stopping_is_no_failure(bench: Bench) -> None:
    """A poll cut short by the end moves no watermark and blames nobody."""

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page(facts=[run("1")])
        bench.stop.set()
        raise Unreachable("not sent, we are stopping")

    result = bench.poller(instance("gh", read)).once()[0]
    assert (result.skipped, result.error) == ("stopped", "")
    (state,) = bench.store.stream_states()
    assert (state.watermark, state.last_error) == (None, "")


def test_the_overlap_follows_from_the_interval() -> None:
    """Two polls but at least 15 min, unless it is said (domain section 4)."""
    assert instance("a", says()).settings.overlap == timedelta(minutes=15)
    slow = SourceConfig(every=timedelta(minutes=20))
    assert instance("a", says(), settings=slow).settings.overlap == timedelta(minutes=40)
    said = SourceConfig(lookback=timedelta(hours=2))
    assert instance("a", says(), settings=said).settings.overlap == timedelta(hours=2)


def test_the_store_is_told_how_often_a_stream_succeeds() -> None:
    """By its own interval or its source's; when it is stale by the setting, else the store sees how long it takes."""
    one = instance("a", says(), settings=SourceConfig(every=timedelta(minutes=2)))
    (stream,) = one.streams
    polled = ConfiguredStream(name="s0", gives=frozenset({PipelineRun}), every=timedelta(minutes=2))
    assert one.expected(stream) == polled
    assert one.expected(replace(stream, every=timedelta(seconds=15))).every == timedelta(seconds=15)
    assert one.expected(replace(stream, behind=timedelta(minutes=1))).behind == timedelta(minutes=1)
    said = instance("a", says(), settings=SourceConfig(stale_after=timedelta(hours=3)))
    assert said.expected(stream) == replace(polled, every=EVERY, stale_after=timedelta(hours=3))


@pytest.mark.parametrize(
    ("said", "expected"),
    [(None, timedelta(minutes=15)), (timedelta(minutes=1), timedelta(minutes=15)), (timedelta(hours=3), timedelta(hours=3))],
)  # fmt: skip
def test_a_watch_may_be_silent_for_as_long_as_its_calls_last(said: timedelta | None, expected: timedelta) -> None:
    """Calls of 5 min make 15 min of patience, and no setting for polls makes it less."""
    one = instance("a", says(), mode=Mode.WATCH, settings=SourceConfig(stale_after=said))
    watch = replace(one.streams[0], every=timedelta(minutes=5))
    assert one.expected(watch).stale_after == expected


def test_started_it_polls_and_watches_until_it_is_closed(bench: Bench) -> None:
    """Polls come by their interval whatever our clock says; a watch that ends is begun again."""
    begun: dict[str, int] = {"poll": 0, "watch": 0}

    def reading(name: str) -> Read:
        def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
            begun[name] += 1
            yield Page(checkpoint=b"x")

        return read

    quick = SourceConfig(every=timedelta(seconds=1))
    poller = bench.poller(
        instance("polled", reading("poll"), settings=quick), instance("watched", reading("watch"), mode=Mode.WATCH)
    )
    poller.start()
    until(lambda: begun["poll"] >= 2 and begun["watch"] >= 2)
    bench.stop.set()
    poller.close()
    assert bench.store.acquire("polled", "next", EVERY, NOON) is not None, "leases are given back"
    assert poller.late("polled") == 0


def test_a_probe_goes_on_while_the_quota_rests(bench: Bench) -> None:
    """What the system asks of its readers does not silence the question whether it answers, nor is it over by that."""
    back = NOON + timedelta(minutes=2)

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        raise Limited("the server asks us to wait", back)
        yield Page()

    def probe(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        yield Page()

    one = instance("eu", read, probe)
    one = replace(one, streams=(one.streams[0], replace(one.streams[1], probe=True)))
    poller = bench.poller(one)
    assert [r.error or r.skipped for r in poller.once()] == ["the server asks us to wait", ""]
    assert [r.error or r.skipped for r in poller.once()] == ["quota used up until 12:02:00", ""]
    assert poller.paused_until("eu") == back


def test_a_refused_credential_is_said_once_and_the_page_says_when_it_is_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """A poll a minute, refused by the breaker each time, is one line in the log; that it works again is another."""
    answers: list[Exception | None] = [*[Refused("401, not accepted", NOON + timedelta(minutes=5))] * 4, None]

    def read(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        if error := answers.pop(0):
            raise error
        yield Page()

    poller = bench.poller(instance("gh", read))
    for _ in range(4):
        poller.once()
        bench.at += timedelta(minutes=1)
    said = "401, not accepted; tried again at 12:05:00 UTC or once the secret changes"
    assert stored(bench) == [("gh", "s0", said)]
    poller.once()
    assert [r.getMessage() for r in caplog.records] == [
        "gh/s0: 401, not accepted",
        "gh/s0: is read again, after 4 failures since 2026-06-01 12:00 UTC",
    ]


@pytest.mark.parametrize(
    ("gives", "days"),
    [({SliCount}, 34), ({SliCount, Instances}, 34), ({SliCount, PipelineRun}, 90), ({Instances}, 90)],
)
def test_a_first_poll_asks_for_no_more_than_the_store_takes(bench: Bench, gives: set[type[Fact]], days: int) -> None:
    """Of what was counted elsewhere that is as far as its events are kept, less a day, since such a poll may take hours."""
    since: list[datetime] = []

    def read(_checkpoint: bytes | None, start: datetime, _now: datetime) -> Iterator[Page]:
        since.append(start)
        yield Page(facts=[])

    one = instance("counts", read)
    bench.poller(replace(one, streams=(replace(one.streams[0], gives=frozenset(gives)),))).once()
    assert since == [NOON - timedelta(days=days)]


def test_polls_rest_while_what_they_would_tell_is_pushed(bench: Bench) -> None:
    """Only where a source takes what is pushed and says `reconcile`; one round of all sources reads whatever was pushed."""
    asked: list[datetime] = []

    def read(_checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        asked.append(now)
        yield Page()

    one = instance("gh", read, settings=SourceConfig(reconcile=timedelta(hours=1)))
    pushed = replace(one, source=cast("Any", replace(one.source, receives=Receiver(read=lambda *_: ()))))
    poller, plain, (stream,) = bench.poller(pushed), bench.poller(one), pushed.streams
    assert (one.expected(stream).every, pushed.expected(stream).every) == (EVERY, timedelta(hours=1))
    poller.run(pushed, stream)
    bench.at = NOON + EVERY
    poller.run(pushed, stream)
    assert asked == [NOON, NOON + EVERY]
    bench.store.take("gh", "github", [], now=bench.at, lookback=EVERY)
    assert poller.run(pushed, stream).skipped == "what it would tell is pushed"
    assert plain.run(one, stream).skipped == ""
    assert len(asked) == 3
    bench.at += timedelta(minutes=59)
    assert poller.run(pushed, stream).skipped == "what it would tell is pushed"
    assert [r.skipped for r in poller.once()] == [""]
    bench.at += EVERY
    assert poller.run(pushed, stream).skipped == ""
