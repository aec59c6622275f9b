"""What the tick writes and bounds: derived events, daily states, pruning, caps, and measures that need rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.support.company import Values, samples
from tests.support.stores import COUNTINGS, NOON, Opener, Rules, put, run, stream, total

from platform_meter.measures.adoption import declared
from platform_meter.measures.adoption.snapshots import STATES
from platform_meter.model.catalogue.adoption import ADOPTION_TRANSITIONS
from platform_meter.model.catalogue.ci import PIPELINE_FLAKY
from platform_meter.model.catalogue.entities import TEAM_INFO
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.meter import CONFIG_VALID
from platform_meter.model.definitions import Capability, Definitions, Team
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.kubernetes import Node
from platform_meter.model.facts.tickets import SlaCycle, SlaResult
from platform_meter.model.history import History, UnitState
from platform_meter.model.kept import Fold, Folding
from platform_meter.model.measure import Derived, Deriving, Gauging, Measure, Scene, StateDay, Stating
from platform_meter.model.metric import Increment, Metric, Ratio, Sample
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.families import Limits
from platform_meter.runtime.tick.meter import Meter
from platform_meter.store import Configured, Store

CI = Configured(
    instance="gh",
    type="github",
    streams=(stream("runs", PipelineRun, SlaCycle, stale_after=timedelta(days=1000)),),
)
BUILDS = Capability.model_validate(
    {
        "kind": "Capability",
        "id": "builds",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{"team": {}}]},
        "adopted": {"source": "github", "verb": "run"},
        "active": {"source": "github", "verb": "run"},
    }
)
OWNED = Repository(about=Ref(system="github", kind="repository", id="acme/api"), codeowner="@acme/pay")
TEAMS = tuple(Team(kind="Team", id=id_) for id_ in ("pay", "web"))


@dataclass
class Bench:
    """A meter on a real store with a clock that the test moves."""

    opener: Opener
    at: datetime = NOON
    exposition: Exposition = field(default_factory=Exposition)
    own: Sequence[Sample] = ()
    configured: Sequence[Configured] = (CI,)
    refreshed: int = 0

    def store(self, **settings: object) -> Store:
        directory = Rules({"github:acme/pay*": "pay", "github:acme/web*": "web"})
        return self.opener(directory=directory, countings=COUNTINGS, **settings)

    def meter(
        self, store: Store, *measures: Measure, limits: Limits | None = None, definitions: Definitions | None = None
    ) -> Meter:
        return Meter(
            store,
            self.exposition,
            measures,
            definitions=definitions or Definitions(),
            configured=self.configured,
            zone=ZoneInfo("UTC"),
            limits=limits or Limits(zero_for=timedelta()),
            clock=lambda: self.at,
            stopwatch=lambda: datetime.timestamp(self.at),
            own=lambda: self.own,
            own_text=lambda: (b"", b""),
            refresh=self._refresh,
        )

    def _refresh(self, _: History) -> None:
        self.refreshed += 1

    def family(self, name: str) -> Mapping[tuple[str, ...], float]:
        """Values of one family by the values of its labels, in the order of their names."""
        found: Values = samples(self.exposition.body().data.decode()).get(name, {})
        return {tuple(value for _, value in labels): number for labels, number in found.items()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener)
    opener.close()


def gauge(
    metric: Metric, rows: Callable[[], Mapping[tuple[str, ...], float] | Mapping[tuple[str, ...], Ratio]]
) -> Gauging:
    return Gauging(
        metrics=(metric,),
        reads=frozenset(),
        compute=lambda _: [Sample(metric=metric, labels=labels, value=value) for labels, value in rows().items()],
    )


def test_a_family_past_its_cap_is_folded_and_a_ratio_is_made_of_the_union(bench: Bench) -> None:
    """Kept and unowned teams stay, then the first by name; the rest become one `_other` with 4 of 40."""
    said: dict[tuple[str, ...], Ratio] = {
        ("github", team, "28d"): Ratio(part=part, whole=10)
        for team, part in {"a": 1, "b": 1, "c": 2, "d": 1, "e": 0, "vip": 9, "_unowned": 5}.items()
    }
    limits = Limits(families={PIPELINE_FLAKY.name: 4}, keep={"team": frozenset({"vip"})}, zero_for=timedelta())
    meter = bench.meter(bench.store(), gauge(PIPELINE_FLAKY, lambda: said), limits=limits)
    meter.tick()
    found = {labels[1]: value for labels, value in bench.family(PIPELINE_FLAKY.name).items()}
    assert found == {"_unowned": 0.5, "a": 0.1, "vip": 0.9, "_other": 0.1}
    assert bench.family("platform_meter_series")[PIPELINE_FLAKY.name,] == 4
    assert {labels[1]: v for labels, v in meter.rows[PIPELINE_FLAKY.name]} == found, "pages say the same"
    bench.at += timedelta(seconds=15)
    meter.tick()
    meter.tick()
    assert bench.family("platform_meter_series_dropped_total") == {(PIPELINE_FLAKY.name,): 4.0}, "b to e, once"


def test_the_whole_is_bounded_too_and_counters_take_their_room_first(bench: Bench) -> None:
    """Of 23 series two counters have 2 and a histogram 15; two families of 9 gauges share what is left evenly."""
    store = bench.store()
    put(store, [run("1")])

    def nine(metric: Metric) -> Gauging:
        said = {(str(n), *("x" for _ in metric.labels[1:])): 1.0 for n in range(9)}
        return gauge(metric, lambda: said)

    limits = Limits(total=23, zero_for=timedelta())
    bench.meter(store, nine(CLUSTER_NODES), nine(TEAM_INFO), limits=limits).tick()
    assert {labels[0]: n for labels, n in bench.family("platform_meter_series").items()} == {
        "platform_meter_events_total": 1,
        "platform_pipeline_runs_total": 1,
        "platform_pipeline_run_duration_seconds": 15,
        "platform_cluster_nodes": 3,
        "platform_team_info": 3,
    }
    assert bench.family("platform_cluster_nodes") == {("0", "x"): 1.0, ("1", "x"): 1.0, ("_other", "x"): 7.0}
    assert bench.family("platform_team_info") == {("x", "x", str(n)): 1.0 for n in range(3)}


def test_a_gauge_that_is_undefined_now_is_absent(bench: Bench) -> None:
    """Its family has no line, not even a HELP, and comes back with its value."""
    said: dict[tuple[str, ...], float] = {("eu", "ready"): 3.0}
    meter = bench.meter(bench.store(), gauge(CLUSTER_NODES, lambda: said))
    meter.tick()
    assert bench.family("platform_cluster_nodes") == {("eu", "ready"): 3.0}
    said = {}
    bench.at += timedelta(seconds=15)
    meter.tick()
    assert b"platform_cluster_nodes" not in bench.exposition.body().data
    said = {("eu", "ready"): 4.0}
    bench.at += timedelta(seconds=15)
    meter.tick()
    assert bench.family("platform_cluster_nodes") == {("eu", "ready"): 4.0}


def test_what_time_caused_is_stored_once_and_seen_by_the_same_tick(bench: Bench) -> None:
    """A goal that passed becomes an event with a key of its own: told at every tick, kept once, read at once."""
    breach = SlaCycle(
        key="help/first_response/PLAT-1/1",
        at=NOON,
        about=Ref(system="github", kind="project", id="PLAT"),
        queue="help",
        sla="first_response",
        ticket="PLAT-1",
        priority="P1",
        result=SlaResult.BREACHED,
        elapsed=3600.0,
        goal=3600.0,
    )

    def cycles(scene: Scene) -> list[Sample]:
        n = sum(1 for _ in scene.history.rows(SlaCycle, NOON - timedelta(days=1), NOON + timedelta(days=1)))
        return [Sample(metric=CLUSTER_NODES, labels=("eu", "ready"), value=float(n))]

    store = bench.store()
    put(store, [run("1")])
    deriving = Deriving(
        reads=frozenset({PipelineRun}), gives=SlaCycle, derive=lambda _: [Derived(source="gh", event=breach)]
    )
    counting = Gauging(metrics=(CLUSTER_NODES,), reads=frozenset({SlaCycle}), compute=cycles)
    meter = bench.meter(store, deriving, counting)
    for _ in range(3):
        meter.tick()
        assert bench.family("platform_cluster_nodes") == {("eu", "ready"): 1.0}
        bench.at += timedelta(seconds=15)


def test_owners_are_refreshed_at_the_start_and_when_readings_changed(bench: Bench) -> None:
    """CODEOWNERS and portal entries are readings: an event alone tells nothing of owners."""
    store = bench.store()
    meter = bench.meter(store)
    refreshed = []
    for facts in ([], [run("1")], [OWNED], []):
        put(store, facts, bench.at)
        meter.tick()
        meter.tick()
        refreshed.append(bench.refreshed)
        bench.at += timedelta(seconds=15)
    assert refreshed == [1, 1, 2, 2]


def test_a_day_is_kept_once_however_often_the_tick_runs_and_after_a_restart(bench: Bench) -> None:
    """Days that are over are stored at the first tick, oldest first; later ticks add the next day when it is over."""
    store = bench.store()
    put(store, [run("1", NOON - timedelta(days=1), repository="acme/pay")], NOON)
    definitions = Definitions(capabilities=(BUILDS,), teams=TEAMS)

    def taken() -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        with store.history(bench.at, [CI]) as history:
            for one in history.states("adoption/builds", datetime(2026, 5, 30, tzinfo=UTC).date(), bench.at.date()):
                found.setdefault(str(one.day), []).append((one.unit, one.state))
        return found

    first = {
        "2026-05-30": [("pay", "eligible"), ("web", "eligible")],
        "2026-05-31": [("pay", "active"), ("web", "eligible")],
    }
    for _ in range(2):
        meter = bench.meter(store, STATES, *declared(definitions), definitions=definitions)
        meter.tick()
        meter.tick()
        assert taken() == first
    bench.at += timedelta(days=1)
    put(store, [], bench.at)
    meter.tick()
    meter.tick()
    assert taken() == first | {"2026-06-01": [("pay", "active"), ("web", "eligible")]}


def test_days_of_states_are_kept_until_none_is_due(bench: Bench) -> None:
    """All at one tick, each once with what its transitions add to counters."""
    store, first = bench.store(), NOON.date()

    def take(scene: Scene) -> Sequence[StateDay]:
        last = scene.history.last_day("roadmap/q2")
        day = first if last is None else last + timedelta(days=1)
        if day > first + timedelta(days=2):
            return ()
        state = UnitState(day=day, what="roadmap/q2", unit="item-1", state="committed")
        added = Increment(metric=ADOPTION_TRANSITIONS, labels=("q2", "new"))
        return [StateDay(what="roadmap/q2", day=day, states=(state,), increments=(added,))]

    meter = bench.meter(store, Stating(name="roadmaps", metrics=(ADOPTION_TRANSITIONS,), take=take))
    for _ in range(2):
        meter.tick()
        with store.history(bench.at, [CI]) as history:
            assert history.last_day("roadmap/q2") == first + timedelta(days=2)
        assert total(store, ADOPTION_TRANSITIONS.name) == 3


def test_what_is_past_retention_goes_once_a_day(bench: Bench) -> None:
    """At the first tick after a start, and then every 24 hours; counters stay."""
    store = bench.store(retention=timedelta(days=10))
    put(store, [run("old", NOON - timedelta(minutes=1)), run("new", NOON)], NOON)
    meter = bench.meter(store)
    calls: list[datetime] = []
    prune = store.prune

    def counted(now: datetime) -> int:
        calls.append(now)
        return prune(now)

    store.prune = counted  # type: ignore[method-assign] # noted, and done
    meter.tick()
    bench.at = NOON + timedelta(hours=23, minutes=59)
    meter.tick()
    assert calls == [NOON]
    bench.at = NOON + timedelta(days=12)
    put(store, [run("newest", bench.at)], bench.at)
    meter.tick()
    meter.tick()
    assert calls == [NOON, bench.at]
    with store.history(bench.at, [CI]) as history:
        assert list(history.rows(PipelineRun, NOON - timedelta(days=1), bench.at)) == []
    assert total(store) == 3


def test_a_measure_rests_twenty_times_as_long_as_it_took(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that took 3 s of processor waits a minute though it is wanted every 15 s, unless a source aged."""
    processor = iter(range(0, 1000, 3))
    monkeypatch.setattr("platform_meter.runtime.tick.meter.time.thread_time", lambda: float(next(processor)))
    computed: list[datetime] = []

    def heavy(_: Scene) -> list[Sample]:
        computed.append(bench.at)
        return []

    meter = bench.meter(bench.store(), Gauging(metrics=(CLUSTER_NODES,), reads=frozenset({PipelineRun}), compute=heavy))
    seconds = (0, 15, 45, 59, 60, 75)
    for second in seconds:
        bench.at = NOON + timedelta(seconds=second)
        meter.tick()
    assert [(at - NOON).total_seconds() for at in computed] == [0, 60]


def test_a_source_that_comes_and_goes_moves_only_what_reads_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster is stale 10 s after each poll: its nodes go at once and come back after their rest of a minute, and runs stay."""
    processor = iter(range(0, 1000, 3))
    monkeypatch.setattr("platform_meter.runtime.tick.meter.time.thread_time", lambda: float(next(processor)))
    computed: dict[type[Fact], list[float]] = {PipelineRun: [], Node: []}

    def noted(kind: type[Fact]) -> Gauging:
        def compute(_: Scene) -> list[Sample]:
            computed[kind].append((bench.at - NOON).total_seconds())
            return []

        return Gauging(metrics=(), reads=frozenset({kind}), compute=compute, every=timedelta(days=1))

    flapping = stream("runs", Node, stale_after=timedelta(seconds=10))
    bench.configured = (CI, Configured(instance="eu", type="kubernetes", streams=(flapping,)))
    store = bench.store()
    put(store, [])
    meter = bench.meter(store, noted(PipelineRun), noted(Node))
    for second, polled in (
        (0, True),
        (11, False),
        (20, True),
        (31, False),
        (40, True),
        (60, False),
        (70, True),
        (71, False),
    ):
        bench.at = NOON + timedelta(seconds=second)
        if polled:
            put(store, [], bench.at, instance="eu")
        meter.tick()
    assert computed == {PipelineRun: [0], Node: [0, 11, 71]}


def test_one_round_shows_all_that_changed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A measure that took 3 s rests for a minute, unless somebody asks for everything now."""
    processor = iter(range(0, 1000, 3))
    monkeypatch.setattr("platform_meter.runtime.tick.meter.time.thread_time", lambda: float(next(processor)))
    computed: list[float] = []

    def compute(_: Scene) -> list[Sample]:
        computed.append((bench.at - NOON).total_seconds())
        return []

    store = bench.store()
    meter = bench.meter(store, Gauging(metrics=(), reads=frozenset(), compute=compute))
    for second, rested in ((0, False), (20, False), (30, True), (40, False)):
        bench.at = NOON + timedelta(seconds=second)
        meter.tick(rested=rested)
    assert computed == [0, 30]


class Made(Folding):
    """What a measure keeps: how often it looked."""

    name = "made"

    def __init__(self) -> None:
        self.looks = self.dumped = 0

    def dump(self) -> Fold | None:
        if self.looks == self.dumped:
            return None
        self.dumped = self.looks
        return Fold(made_under="x", body=str(self.looks).encode())


def test_what_measures_keep_is_stored_at_the_first_tick_and_each_hour(bench: Bench) -> None:
    """And when it is asked for; not where nothing was made since."""
    store = bench.store()

    def look(scene: Scene) -> list[Sample]:
        scene.kept.of(Made).looks += 1
        return []

    meter = bench.meter(store, Gauging(metrics=(), reads=frozenset(), compute=look))
    found: list[bytes] = []
    for minute in (0, 59, 60):
        bench.at = NOON + timedelta(minutes=minute)
        meter.tick()
        found += body(store)
    assert found == [b"1", b"1", b"3"]
    meter.kept.of(Made).looks = 9
    meter.keep()
    assert body(store) == [b"9"]
    store.put_fold("made", Fold(made_under="x", body=b"another's"))
    meter.keep()
    assert body(store) == [b"another's"]


def body(store: Store) -> list[bytes]:
    with store.history(NOON, []) as history:
        return [fold.body] if (fold := history.fold("made")) else []


def test_its_own_samples_stand_beside_all_others(bench: Bench) -> None:
    """What the process says of itself is exposed anew at each tick, with its number of series."""
    meter = bench.meter(bench.store())
    for valid in (1.0, 0.0):
        bench.own = [Sample(metric=CONFIG_VALID, labels=(), value=valid)]
        assert meter.tick() == 1
        assert bench.family("platform_meter_config_valid") == {(): valid}
    assert bench.family("platform_meter_series") == {("platform_meter_config_valid",): 1.0}
