"""What measures read: exact counts for any window, events in order, use by day, freshness."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct
from tests.support.stores import NOON, Opener, begin, configured, minutes, owned, put, run, stream, tallies

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.kubernetes import Node, Workload
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import SourceState
from platform_meter.model.kept import Fold
from platform_meter.model.source import Page
from platform_meter.store import Configured, ConfiguredStream, Store, Told

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
            (("api", "bad"), 0, 2.5),
            (("api", "good"), 1, 97.5),
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


def test_one_event_is_found_by_its_key(open_store: Opener) -> None:
    """That of this source and kind, as it is now."""
    store = open_store()
    put(store, [run("a"), run("b")], NOON)
    with store.history(NOON, []) as history:
        assert history.event(PipelineRun, "gh", "b") == run("b")
        assert [history.event(*asked) for asked in ((PipelineRun, "gh", "c"), (PipelineRun, "other", "b"))] == [
            None,
            None,
        ]
        assert history.event(Usage, "gh", "b") is None


class Short(Struct, frozen=True):
    """Two fields of a run."""

    outcome: Outcome
    group: str


def test_parts_are_rows_with_fewer_fields(open_store: Opener) -> None:
    """The same events in the same order; of one source and half-open, as all windows."""
    store = open_store()
    runs = [run(key, NOON + minutes(n), repository=f"acme/{n}") for key, n in (("b", 1), ("a", 1), ("c", 0), ("d", 2))]
    put(store, runs, NOON + minutes(3))
    put(store, [run("other", NOON)], NOON + minutes(3), instance="other")
    with store.history(NOON + minutes(3), [configured()]) as history:
        rows = list(history.rows(PipelineRun, NOON, NOON + minutes(2), source="gh"))
        parts = list(history.parts(PipelineRun, Short, NOON, NOON + minutes(2), source="gh"))
    assert parts == [(r.object, Short(outcome=r.event.outcome, group=r.event.group)) for r in rows]
    assert [part.group for _, part in parts] == ["c", "a", "b"]


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


def test_parts_after_a_number_are_what_came_or_was_corrected_since(open_store: Opener) -> None:
    """Of one source and kind, in the window; a correction of what use is counted by is told apart from any other."""
    store = open_store()

    def seen(after: int) -> tuple[list[str], int, int]:
        with store.history(NOON + DAY, [configured()]) as history:
            found = history.parts(PipelineRun, Short, NOON, NOON + DAY, source="gh", after=after)
            groups = [part.group for _, part in found]
            return groups, history.latest(PipelineRun), history.corrected(PipelineRun)

    put(store, [run("a"), run("b")], NOON + minutes(1))
    groups, latest, corrected = seen(0)
    assert (groups, corrected) == (["a", "b"], 0)
    put(store, [run("c"), run("old", NOON - minutes(1))], NOON + minutes(1))
    put(store, [run("other")], NOON + minutes(1), instance="other")
    assert seen(latest)[0] == ["c"]
    latest = seen(0)[1]
    put(store, [run("a", seconds=9, updated=NOON + minutes(1))], NOON + minutes(1))
    assert seen(latest)[::2] == (["a"], 0)
    put(store, [run("a", outcome=Outcome.UNKNOWN, updated=NOON + minutes(2))], NOON + minutes(2))
    assert seen(latest)[2] > latest


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_days_tell_what_counts_tell(open_store: Opener, zone: str) -> None:
    """Of all sources at once by source, object and dim, over days with other lengths; other sources and kinds are left out."""
    randomly = random.Random(zone)
    store, start = open_store(zone=zone), datetime(2026, 3, 27, tzinfo=ZoneInfo(zone))
    for instance in ("gh", "gl", "other"):
        runs = [
            run(
                f"{n}",
                start + timedelta(minutes=randomly.randrange(5 * 24 * 60)),
                repository=f"acme/{randomly.randrange(3)}",
                outcome=randomly.choice(list(Outcome)),
                seconds=randomly.randrange(10_000_000) / 1000,
            )
            for n in range(80)
        ]
        use = Usage(key="1", at=start + DAY, about=run("1").about, action="a")
        put(store, [*runs, use], start + 6 * DAY, instance=instance)
    first = start.date()
    with store.history(NOON, []) as history:
        told = list(history.daily(PipelineRun, ["gh", "gl", "nobody"], first + DAY, first + 4 * DAY))
        places = {(t.source, t.day, t.object, t.dim): (t.n, t.amount) for t in told}
        assert len(places) == len(told)
        expected = {
            (instance, day.date(), *place): (count.n, count.amount)
            for day in (start + DAY, start + 2 * DAY, start + 3 * DAY)
            for instance in ("gh", "gl")
            for place, count in history.counts(PipelineRun, instance, day, day + DAY).items()
        }
        assert places == expected
        assert list(history.daily(PipelineRun, [], first, first + 6 * DAY)) == []


def states(store: Store, now: datetime, *streams: ConfiguredStream, kind: Any = None) -> list[SourceState]:
    with store.history(now, [Configured(instance="gh", type="github", streams=streams)]) as history:
        return list(history.sources(kind))


def test_a_source_as_a_whole_is_as_fresh_as_its_oldest_stream(open_store: Opener) -> None:
    """Watermark and last success are the least of its streams; without each of them there is none."""
    store = open_store()
    runs, jobs = stream("runs"), stream("jobs")

    def state(now: datetime, *streams: ConfiguredStream) -> SourceState:
        return states(store, now, *streams)[0]

    put(store, [])
    assert state(NOON, runs, jobs).watermark is None
    assert not state(NOON, runs, jobs).fresh
    store.end_poll(begin(store, NOON + minutes(2), stream="jobs"), now=NOON + minutes(3))
    both = state(NOON + minutes(3), runs, jobs)
    assert (both.watermark, both.last_success, both.fresh) == (NOON, NOON, True)
    assert not state(NOON + minutes(3.1), runs, jobs).fresh
    assert state(NOON + minutes(3.1), jobs).fresh
    assert state(NOON + minutes(3), stream("never")).last_success is None


def test_a_kind_is_as_known_as_the_streams_that_give_it(open_store: Opener) -> None:
    """A probe that is read stays known while all else fails, and what no stream reads any more goes while others do."""
    store = open_store()
    probe = stream("readyz", ProbeCheck, every=minutes(0.5))
    inventory = [stream(name, Workload, every=minutes(5)) for name in ("deployments", "cronjobs")]
    nodes = stream("nodes", Node)
    for name in ("readyz", "deployments", "cronjobs", "nodes"):
        store.end_poll(begin(store, stream=name), now=NOON)
    later = NOON + minutes(16)
    for name in ("readyz", "deployments"):
        store.end_poll(begin(store, later, stream=name), now=later)

    def known(kind: Any) -> list[tuple[datetime | None, bool]]:
        return [(s.watermark, s.fresh) for s in states(store, later, probe, *inventory, nodes, kind=kind)]

    assert known(ProbeCheck) == [(later, True)]
    assert known(Workload) == [(NOON, False)], "one of the two that give it was not read for 16 min"
    assert known(Node) == [(NOON, False)]
    assert known(None) == [(NOON, False)]
    assert known(PipelineRun) == []


def test_what_is_read_with_a_delay_is_known_up_to_that_delay(open_store: Opener) -> None:
    """Windows end there: what has happened since the reading ended would stand for nothing having happened. Of several
    streams the one that is furthest behind counts; how fresh they are does not hang on it.
    """
    store = open_store()
    for name in ("prompt", "late", "later"):
        store.end_poll(begin(store, stream=name), now=NOON)
    prompt = stream("prompt")
    late, later = (stream(name, behind=minutes(n)) for name, n in (("late", 2), ("later", 10)))

    def known(*streams: ConfiguredStream) -> tuple[datetime | None, datetime | None, bool]:
        (state,) = states(store, NOON + minutes(3), *streams)
        return state.watermark, state.last_success, state.fresh

    assert known(prompt, late) == (NOON - minutes(2), NOON, True)
    assert known(prompt, late, later) == (NOON - minutes(10), NOON, True)
    assert known(stream("never", behind=minutes(2))) == (None, None, False)


def test_what_was_never_read_whole_is_not_known(open_store: Opener) -> None:
    """Other streams of the source say nothing of it, nor does one that failed midway."""
    store = open_store()
    put(store, [])
    poll = begin(store, stream="deployments")
    about = Ref(system="kubernetes", kind="workload", id="eu/pay/Deployment/api")
    api = Workload(about=about, cluster="eu", namespace="pay", workload_kind="Deployment")
    store.write(poll, Page(facts=[api]), now=NOON)
    store.fail_poll(poll, now=NOON, error="403")
    (state,) = states(store, NOON, stream("runs"), stream("deployments", Workload), kind=Workload)
    assert (state.watermark, state.last_success, state.fresh) == (None, None, False)


def test_how_much_a_source_told_is_counted_by_kind(open_store: Opener) -> None:
    """When the newest event happened, how many since a moment, how many readings stand; other sources' are not its own."""
    store = open_store()
    repository = Repository(about=Ref(system="github", kind="repository", id="acme/api"))
    over = Repository(about=Ref(system="github", kind="repository", id="acme/over"))
    put(store, [run("1", at=NOON - DAY), run("2", at=NOON - minutes(9)), repository, over], NOON - minutes(1))
    put(store, [repository], complete=frozenset({Repository}))
    put(store, [run("3", at=NOON - minutes(1))], instance="other")
    with store.history(NOON, ()) as history:
        assert history.told("gh", {Repository, PipelineRun, ProbeCheck}, NOON - timedelta(hours=1)) == [
            Told("PipelineRun", NOON - minutes(9), 1, 0),
            Told("ProbeCheck", None, 0, 0),
            Told("Repository", None, 0, 1),
        ]
        assert history.rejected() == []
    put(store, [run("4", at=NOON + DAY)])
    with store.history(NOON, ()) as history:
        assert history.rejected() == [("github", "PipelineRun", "future", 1)]


@pytest.mark.parametrize(
    ("said", "took", "expected"), [(None, 0.5, 3), (None, 3, 9), (minutes(5), 3, 5)], ids=["quick", "slow", "said"]
)
def test_a_success_holds_for_three_polls(
    open_store: Opener, said: timedelta | None, took: float, expected: int
) -> None:
    """Of those that take longer than their interval for three such; a setting holds whatever they take."""
    store = open_store()
    store.end_poll(begin(store, NOON - minutes(took)), now=NOON)
    one = stream("runs", stale_after=said)
    last = NOON + minutes(expected)
    assert states(store, last, one)[0].fresh
    assert not states(store, last + timedelta(milliseconds=1), one)[0].fresh


def test_what_is_still_to_come_is_not_fresh(open_store: Opener) -> None:
    """Written under a clock that was ahead; but clocks of replicas may differ by a minute."""
    store = open_store()
    put(store, [], NOON)
    assert states(store, NOON - minutes(1), stream("runs"))[0].fresh
    assert not states(store, NOON - minutes(1.1), stream("runs"))[0].fresh


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_large_amounts_are_added_up_exactly(open_store: Opener, zone: str) -> None:
    """A month of 100 MB a second is 2.4e14 bytes, and one day of 10 GB a second 8.6e14: windows of any length tell them."""
    store = open_store(zone=zone)
    about = Ref(system="prometheus", kind="sli", id="bytes")
    five = [
        SliCount(key=f"{n}", at=NOON - minutes(5 * n), about=about, sli="b", good=3e10, bad=0.25, width=minutes(5))
        for n in range(1, 28 * 288 + 1)
    ]
    use = [Usage(key=f"{n}", at=NOON - minutes(n), about=about, action="bytes", amount=6e11) for n in range(1, 1441)]
    put(store, [*five, *use])
    with store.history(NOON, []) as history:
        for days in (0.3, 1, 7, 28):
            found = history.counts(SliCount, "gh", NOON - days * DAY, NOON)
            amounts = {dim: c.amount for (_, dim), c in found.items()}
            n = int(days * 288)
            assert amounts == {("b", "good"): 3e10 * n, ("b", "bad"): 0.25 * n}
        (used,) = history.counts(Usage, "gh", NOON - 2 * DAY, NOON).values()
        assert used.amount == 6e11 * 1440
    assert store.check() == []
    corrected = Usage(key="1", at=NOON - minutes(1), about=about, updated=NOON, action="bytes", amount=7e12)
    assert put(store, [corrected]).revised == 1
    assert store.check() == []


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


def test_what_measures_made_is_kept_under_its_name(open_store: Opener) -> None:
    """The last one, in this process and the next; of another name there is none."""
    store = open_store()
    for body in (b"old", b"\x00new"):
        store.put_fold("tickets", Fold(made_under="x", body=body))
    for each in (store, open_store()):
        with each.history(NOON, []) as history:
            assert history.fold("tickets") == Fold(made_under="x", body=b"\x00new")
            assert history.fold("others") is None


def test_a_view_tells_what_was_pruned(open_store: Opener) -> None:
    """Nothing at first; then from when on events are stored, which is a midnight of the zone."""
    store = open_store(retention=timedelta(days=10), zone="Europe/Berlin")
    put(store, [run("1")])
    with store.history(NOON, []) as history:
        assert history.pruned() is None
    store.prune(NOON)
    with store.history(NOON, []) as history:
        assert history.pruned() == datetime(2026, 5, 21, 22, tzinfo=UTC)
