"""What measures read: exact counts for any window, events in order, use by day, freshness."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.stores import NOON, Opener, begin, configured, minutes, owned, put, run, tallies

from platform_meter.model.facts import Deployment, DeployResult, Outcome, PipelineRun, Ref, Repository, SliCount, Usage
from platform_meter.model.history import SourceState, UsageDay
from platform_meter.store import Store

DAY = timedelta(days=1)


def _brute(runs: list[PipelineRun], start: datetime, end: datetime) -> dict[tuple[str, str], tuple[int, float]]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for r in runs:
        if start <= r.at < end:
            total = sums[r.about.name, r.outcome.value]
            total[0] += 1
            total[1] += r.ran // timedelta(microseconds=1)
    return {place: (n, micros / 1_000_000) for place, (n, micros) in sums.items()}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns"])
def test_counts_are_exact_for_any_window(open_store: Opener, zone: str) -> None:
    """Days, slices and edges add up to a count of the events, over the days the clocks change and their midnights."""
    randomly = random.Random(zone)
    start = datetime(2026, 3, 24, tzinfo=UTC)
    runs = [
        run(
            str(n),
            start + timedelta(milliseconds=randomly.randrange(9 * 86_400_000)),
            repository=f"acme/{randomly.randrange(3)}",
            outcome=randomly.choice(list(Outcome)),
            seconds=randomly.randrange(10_000_000) / 1000,
        )
        for n in range(600)
    ]
    store = open_store(zone=zone)
    put(store, runs, start + 10 * DAY)
    bounds = [
        start + timedelta(milliseconds=randomly.randrange(-DAY // timedelta(milliseconds=1), 10 * 86_400_000))
        for _ in range(60)
    ]
    bounds += [datetime(2026, 3, d, h, tzinfo=ZoneInfo(zone)) for d in (28, 29, 30) for h in (0, 3)]
    bounds += [run_.at for run_ in runs[:10]] + [start, start + 9 * DAY, start + minutes(5), start + minutes(7.5)]
    for _ in range(80):
        low, high = randomly.choice(bounds), randomly.choice(bounds)
        assert tallies(store, low, high) == _brute(runs, low, high)
    assert store.check() == []


def test_a_window_is_half_open(open_store: Opener) -> None:
    """An event at the start is in, one at the end is out, to the millisecond."""
    store = open_store()
    put(store, [run("1", NOON), run("2", NOON + DAY)], NOON + DAY)
    one = {("github:acme/payments", "success"): (1, 60.0)}
    assert tallies(store, NOON, NOON + DAY) == one
    assert tallies(store, NOON + timedelta(milliseconds=1), NOON + DAY) == {}
    assert tallies(store, NOON + timedelta(milliseconds=1), NOON + DAY + timedelta(milliseconds=1)) == one


def test_counts_are_of_one_source_and_kind(open_store: Opener) -> None:
    """The same key in two instances is two events; good and bad of an SLI keep their amounts apart."""
    store = open_store()
    put(store, [run("1")])
    sli = SliCount(key="1", at=NOON, about=run("1").about, sli="api", good=97.5, bad=2.5, width=minutes(5))
    put(store, [run("1"), sli], instance="other")
    with store.history(NOON, []) as history:
        found = history.counts(SliCount, "other", NOON - DAY, NOON + DAY)
        assert sorted((dim, c.n, c.amount) for (_, dim), c in found.items()) == [
            ("api|bad", 0, 2.5),
            ("api|good", 1, 97.5),
        ]
        assert len(history.counts(PipelineRun, "gh", NOON - DAY, NOON + DAY)) == 1
        assert history.counts(SliCount, "gh", NOON - DAY, NOON + DAY) == {}


def test_events_come_in_order_of_time_then_key(open_store: Opener) -> None:
    """By bytes, whatever the server's locale; with all fields as they went in."""
    store = open_store()
    runs = [run("b"), run("B"), run("ä"), run("a", NOON - minutes(1)), run("c", NOON + minutes(1), pool="")]
    put(store, runs, NOON + minutes(2))
    put(store, [run("b", NOON - minutes(1))], NOON + minutes(2), instance="other")
    with store.history(NOON, []) as history:
        found = list(history.rows(PipelineRun, NOON - DAY, NOON + DAY, source="gh"))
        assert [r.event.key for r in found] == ["a", "B", "b", "ä", "c"]
        assert sorted((r.event for r in found), key=lambda e: e.key) == sorted(runs, key=lambda e: e.key)
        both = [(r.source, r.event.key) for r in history.rows(PipelineRun, NOON - DAY, NOON)]
        assert both == [("gh", "a"), ("other", "b")]


def test_rows_stream_beside_other_questions(open_store: Opener) -> None:
    """A reader may ask for more while it walks through the events."""
    store = open_store()
    put(store, [run(str(n), NOON + timedelta(seconds=n)) for n in range(2500)], NOON + DAY)
    with store.history(NOON, []) as history:
        outer = history.rows(PipelineRun, NOON, NOON + DAY)
        first = next(outer)
        assert sum(1 for _ in history.rows(PipelineRun, NOON, NOON + DAY)) == 2500
        assert history.owner(first.object) == owned("pay")
        assert sum(1 for _ in outer) == 2499


def test_use_is_summed_by_object_and_day_of_the_zone(open_store: Opener) -> None:
    """A `Usage` gives its amount under its action, another kind one use per event; days begin at local midnight."""
    store = open_store(zone="Europe/Berlin")
    about = Ref(system="github", kind="repository", id="acme/payments")
    late = datetime(2026, 6, 1, 21, 59, tzinfo=UTC)

    def use(key: str, at: datetime, action: str, amount: float) -> Usage:
        return Usage(key=key, at=at, about=about, action=action, amount=amount)

    deploy = Deployment(key="d", at=late, about=about, environment="prod", sha="a", result=DeployResult.SUCCESS)
    facts: list[Any] = [
        use("1", late, "request", 100.5),
        use("2", late + minutes(1), "request", 7),
        use("3", late, "view", 1),
        run("4", late, seconds=3600),
        deploy,
    ]
    put(store, facts, late + DAY)
    first, second = date(2026, 6, 1), date(2026, 6, 2)
    with store.history(late, []) as history:
        (object_,) = history.objects()

        def days(*verbs: str, end: date = date(2026, 6, 3), type_: str = "github") -> list[UsageDay]:
            return list(history.usage_days(verbs, type_, first, end))

        one = UsageDay(object=object_.id, day=first, n=1, amount=100.5)
        assert days("request") == [one, UsageDay(object=object_.id, day=second, n=1, amount=7)]
        assert days("request", end=second) == [one]
        assert days("run", "deploy", "view") == [UsageDay(object=object_.id, day=first, n=3, amount=3)]
        assert days("request", type_="kong") == []


def test_a_source_is_as_fresh_as_its_oldest_stream(open_store: Opener) -> None:
    """Watermark and last success are the least of the polled streams; without each of them there is none."""
    store = open_store()

    def states(now: datetime, *streams: str) -> SourceState:
        with store.history(now, [configured("gh", PipelineRun, streams=streams)]) as history:
            (state,) = history.sources()
            return state

    put(store, [])
    assert states(NOON, "runs", "jobs").watermark is None
    assert not states(NOON, "runs", "jobs").fresh
    store.end_poll(begin(store, NOON + minutes(2), stream="jobs"), now=NOON + minutes(3))
    both = states(NOON + minutes(3), "runs", "jobs")
    assert (both.watermark, both.last_success, both.fresh) == (NOON, NOON, True)
    assert not states(NOON + minutes(3.1), "runs", "jobs").fresh
    assert states(NOON + minutes(3.1), "jobs").fresh
    assert states(NOON + minutes(3), "never").last_success is None


def test_sources_are_those_that_give_a_kind(open_store: Opener) -> None:
    """Configured instances in the order of the configuration, polled or not."""
    store = open_store()
    two = [configured("b", PipelineRun), configured("a", Repository)]
    with store.history(NOON, two) as history:
        assert [s.instance for s in history.sources()] == ["b", "a"]
        assert [s.instance for s in history.sources(Repository)] == ["a"]
        assert history.sources(Usage) == []


def test_objects_tell_kind_owner_and_when_they_were_seen(open_store: Opener) -> None:
    """Filters by object kind and by source type."""
    store = open_store()
    put(store, [run("1", NOON - DAY), run("2", NOON), run("3", repository="acme/web")])
    with store.history(NOON, []) as history:
        found = [(o.name, o.owner.team, o.last_seen) for o in history.objects(kind="repository", source_type="github")]
        assert found == [("github:acme/payments", "pay", NOON), ("github:acme/web", "_unowned", NOON)]
        assert history.objects(kind="workload") == []
        assert history.objects(source_type="gitlab") == []
        assert history.owner(10**6).team == "_unowned"


def test_a_store_reads_what_another_process_wrote(open_store: Opener) -> None:
    """Owners and counts come from the tables, not from this process's past."""
    reader, writer = open_store(), open_store()
    put(writer, [run("1")])
    assert _owner(reader) == "pay"
    put(writer, [run("2", repository="acme/pay2")])
    assert len(tallies(reader, NOON, NOON + DAY)) == 2


def _owner(store: Store) -> str:
    with store.history(NOON, []) as history:
        return history.objects()[0].owner.team
