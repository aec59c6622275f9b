"""What is rendered when, what is cut off and counted, and what an older store's rows do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest
from tests.support.company import samples
from tests.support.stores import NOON

from platform_meter.model.catalogue.ci import PIPELINE_RUN_DURATION, PIPELINE_RUNS
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.meter import EVENTS_STORED, SERIES_EXPOSED, SOURCE_UP
from platform_meter.model.catalogue.slos import SLO_OBJECTIVE
from platform_meter.model.metric import Metric, Sample
from platform_meter.runtime.tick.exposition import Exposition, Lines, Rows
from platform_meter.runtime.tick.failures import Failures
from platform_meter.runtime.tick.families import Families, Limits
from platform_meter.store import CounterRow

NODES, OBJECTIVE, RUNS = CLUSTER_NODES, SLO_OBJECTIVE, PIPELINE_RUNS


class Noting(Exposition):
    """An exposition that notes which families it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[str] = []

    def put(self, metric: Metric, rows: Rows) -> int:
        if metric is not SERIES_EXPOSED:
            self.given.append(metric.name)
        return super().put(metric, rows)


@dataclass
class Bench:
    limits: Limits = field(default_factory=Limits)
    exposition: Noting = field(default_factory=Noting)
    families: Families = field(init=False)

    def __post_init__(self) -> None:
        self.families = Families(self.exposition, self.limits, Failures())

    def show(self) -> tuple[list[str], dict[str, int]]:
        """(families rendered, label sets cut off for the first time)."""
        self.exposition.given.clear()
        cut = self.families.show()
        return self.exposition.given, cut

    def family(self, name: str) -> Mapping[tuple[str, ...], float]:
        found = samples(self.exposition.body().data.decode()).get(name, {})
        return {tuple(value for _, value in labels): number for labels, number in found.items()}


def nodes(*names: str, value: float = 1.0) -> list[Sample]:
    return [Sample(metric=NODES, labels=(name, "ready"), value=value) for name in names]


def counters(metric: Metric, *labels: tuple[str, ...]) -> Iterable[CounterRow]:
    buckets = (0,) * (len(metric.buckets) + 1) if metric.buckets else None
    return [
        CounterRow(metric=metric.name, labels=one, value=1.0, buckets=buckets, sum=0.0, first_seen=NOON)
        for one in labels
    ]


def test_only_what_was_said_anew_is_rendered() -> None:
    """A family nobody spoke of is left alone; one that is no longer said disappears."""
    bench = Bench()
    bench.families.say(0, nodes("eu"))
    bench.families.say(1, [Sample(metric=OBJECTIVE, labels=("x",), value=0.99)])
    assert bench.show()[0] == [NODES.name, OBJECTIVE.name]
    assert bench.show()[0] == []
    bench.families.say(0, nodes("eu", value=2.0))
    assert bench.show()[0] == [NODES.name]
    assert bench.family(NODES.name) == {("eu", "ready"): 2.0}
    bench.families.say(1, [])
    assert bench.show()[0] == [OBJECTIVE.name]
    assert OBJECTIVE.name.encode() not in bench.exposition.body().data
    assert (bench.families.series, bench.families.rows[OBJECTIVE.name]) == (1, [])


def test_two_measures_may_speak_of_one_family() -> None:
    """What one of them says anew does not remove what the other said."""
    bench = Bench()
    bench.families.say(0, nodes("eu"))
    bench.families.say(1, nodes("us"))
    bench.families.say(0, nodes("eu", value=3.0))
    bench.show()
    assert bench.family(NODES.name) == {("eu", "ready"): 3.0, ("us", "ready"): 1.0}


def test_what_is_cut_off_is_counted_once() -> None:
    """3 nodes past a cap of 2 are folded, 2 objectives past a cap of 1 dropped; later only the one that is new counts."""
    bench = Bench(Limits(families={NODES.name: 2, OBJECTIVE.name: 1}))
    bench.families.say(0, nodes("a", "b", "c", "d"))
    bench.families.say(1, [Sample(metric=OBJECTIVE, labels=(slo,), value=0.99) for slo in "xyz"])
    assert bench.show()[1] == {NODES.name: 3, OBJECTIVE.name: 2}
    bench.families.say(0, nodes("a", "b", "c", "d", "e"))
    assert bench.show()[1] == {NODES.name: 1}
    assert bench.family(NODES.name) == {("_other", "ready"): 4.0, ("a", "ready"): 1.0}


def test_a_family_is_cut_anew_when_others_take_its_room_and_whole_again_afterwards() -> None:
    """Nobody spoke of the nodes, but counters grew from 1 to 3 of 5 series, then they went: 4 nodes, 2, and 4 again."""
    bench = Bench(Limits(total=5))
    bench.families.say(0, nodes("a", "b", "c", "d"))
    teams = [("github", team, "success") for team in ("a", "b", "c")]
    found = []
    for there in (teams[:1], teams, teams[:1]):
        bench.families.count(counters(RUNS, *there))
        bench.show()
        found.append(len(bench.family(NODES.name)))
    assert found == [4, 2, 4]
    assert bench.show()[0] == []


def test_too_many_counters_leave_what_the_meter_says_of_itself_and_of_slos() -> None:
    """1,200 counters where 1,000 series may be: other gauges find no room, `platform_meter_*` and `platform_slo_*` stay."""
    bench = Bench(Limits(total=1_000))
    bench.families.count(counters(RUNS, *[("github", f"team-{n}", "success") for n in range(1_200)]))
    bench.families.say(0, nodes("eu"))
    bench.families.say(1, [Sample(metric=OBJECTIVE, labels=("x",), value=0.99)])
    bench.families.say(2, [Sample(metric=SOURCE_UP, labels=("github", "gh"), value=1.0)])
    assert bench.show()[1] == {NODES.name: 1}
    assert bench.family(OBJECTIVE.name) == {("x",): 0.99}
    assert bench.family(SOURCE_UP.name) == {("github", "gh"): 1.0}
    assert bench.family(NODES.name) == {}


def test_a_histogram_counts_with_its_buckets() -> None:
    """12 bounds, +Inf, sum and count are 15 series, and take the room of 15: of 17 gauges find 2."""
    bench = Bench(Limits(total=17))
    bench.families.count(counters(PIPELINE_RUN_DURATION, ("github", "linux")))
    bench.families.say(0, nodes("a", "b", "c"))
    bench.show()
    assert bench.family("platform_meter_series") == {
        (PIPELINE_RUN_DURATION.name,): 15,
        (NODES.name,): 2,
    }
    lines = [
        x for x in bench.exposition.body().data.decode().splitlines() if x.startswith("platform_pipeline_run_duration")
    ]
    assert (len(lines), bench.families.series) == (15, 17)


def test_what_is_switched_off_is_not_exposed() -> None:
    """Whatever the store has of it, and without a word."""
    bench = Bench(Limits(silent=frozenset({RUNS.name})))
    bench.families.count(
        [*counters(RUNS, ("github", "pay", "success")), *counters(EVENTS_STORED, ("github", "PipelineRun"))]
    )
    assert bench.family(RUNS.name) == {}
    assert bench.family(EVENTS_STORED.name) == {("PipelineRun", "github"): 1.0}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            CounterRow(metric="platform_old_total", labels=("a",), value=1.0, buckets=None, sum=0.0, first_seen=NOON),
            "platform_old_total stays in the store and is not exposed: this version does not know it",
        ),
        (
            CounterRow(metric=NODES.name, labels=("eu", "ready"), value=1.0, buckets=None, sum=0.0, first_seen=NOON),
            "platform_cluster_nodes stays in the store and is not exposed: in this version it is a gauge",
        ),
        (
            CounterRow(metric=RUNS.name, labels=("github", "pay"), value=1.0, buckets=None, sum=0.0, first_seen=NOON),
            f"{RUNS.name} stays in the store and is not exposed: a row has 2 labels, this version has 3",
        ),
        (
            CounterRow(
                metric=PIPELINE_RUN_DURATION.name,
                labels=("github", "linux"),
                value=1.0,
                buckets=(1, 0, 0),
                sum=1.0,
                first_seen=NOON,
            ),
            f"{PIPELINE_RUN_DURATION.name} stays in the store and is not exposed: a row has other buckets than this version",
        ),
        (
            CounterRow(
                metric=RUNS.name, labels=("github", "a", "b"), value=1.0, buckets=(1,), sum=1.0, first_seen=NOON
            ),
            f"{RUNS.name} stays in the store and is not exposed: a row has other buckets than this version",
        ),
    ],
)
def test_rows_of_another_version_are_left_out_and_said_once(
    row: CounterRow, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An upgrade that renames a metric, or changes its labels or bounds, must not stop the exporter."""
    bench = Bench()
    for _ in range(2):
        bench.families.count([row, *counters(EVENTS_STORED, ("github", "PipelineRun"))])
        bench.show()
    assert bench.family("platform_meter_series") == {("platform_meter_events_total",): 1.0}
    assert [record.getMessage() for record in caplog.records] == [says]


def test_samples_that_can_not_be_written_lose_their_family_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A measure gave one label too few: its family is absent until that is over, and the log says it once."""
    bench = Bench()
    wrong = [Sample(metric=NODES, labels=("eu",), value=1.0)]
    for said in (nodes("eu"), wrong, wrong, nodes("us")):
        bench.families.say(0, said)
        bench.families.say(1, [Sample(metric=OBJECTIVE, labels=("x",), value=0.99)])
        bench.show()
        assert bench.family(OBJECTIVE.name) == {("x",): 0.99}
        if said is wrong:
            assert bench.family(NODES.name) == {}
    assert bench.family(NODES.name) == {("us", "ready"): 1.0}
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "rendering platform_cluster_nodes failed; what it gives is absent from /metrics"
    )
    assert "platform_cluster_nodes has 2 labels; got 1 values: ('eu',)" in (record.exc_text or "")


def test_labels_are_written_again_only_when_they_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """New values on the same label sets, which is what most ticks bring, touch no label."""
    begun: list[int] = []
    begin = Lines._begin

    def noted(lines: Lines, labels: list[tuple[str, ...]]) -> None:
        begun.append(len(labels))
        begin(lines, labels)  # type: ignore[arg-type] # as it was given

    monkeypatch.setattr(Lines, "_begin", noted)
    bench = Bench()
    for names, value in ((("b", "a"), 1.0), (("b", "a"), 2.0), (("b", "a", "c"), 2.0)):
        bench.families.say(0, nodes(*names, value=value))
        bench.show()
        assert bench.family(NODES.name) == {(name, "ready"): value for name in names}
    assert begun == [2, 1, 3], "two nodes, the count of series by family, three nodes"
