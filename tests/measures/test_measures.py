"""Measures are found by themselves: a module in the package is all it takes."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.history import MemoryHistory, source
from tests.support.objectives import NOW, objective
from tests.support.tickets import ticketing

from platform_meter import measures
from platform_meter.model import catalogue
from platform_meter.model.definitions import Capability, Definitions, Environment
from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.facts.ci import PIPELINE_RUNS, PipelineRun
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.kubernetes import Node, Workload
from platform_meter.model.facts.tickets import SLA_CYCLES, TicketEvent
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Counting, Deriving, Gauging, Scene, Stating

OWN = {
    "platform_meter_build_info",
    "platform_meter_source_poll_duration_seconds",
    "platform_meter_source_requests_total",
    "platform_meter_source_pushes_total",
    "platform_meter_source_rate_limit_remaining_ratio",
    "platform_meter_source_import_ratio",
    "platform_meter_source_gaps_total",
    "platform_meter_events_total",
    "platform_meter_events_rejected_total",
    "platform_meter_series",
    "platform_meter_series_dropped_total",
    "platform_meter_config_valid",
    "platform_meter_store_bytes",
}
"""What the store and the process say themselves, no measure."""


def test_every_declared_metric_is_measured_by_one() -> None:
    """No metric of the catalogue is left without a measure, and none has two."""
    found = [m.name for one in measures.load(Definitions()) if not isinstance(one, Deriving) for m in one.metrics]
    assert sorted(found) == sorted(set(found))
    assert set(found) == set(catalogue.ALL) - OWN


def test_each_kind_of_measure_is_among_them() -> None:
    """Counters for new events, gauges over history, events that time alone causes, and states of units by day."""
    kinds = {type(one) for one in measures.load(Definitions())}
    assert kinds == {Counting, Gauging, Deriving, Stating}


def test_what_people_declare_reaches_the_measures() -> None:
    """Two loads with other definitions are other measures: none keeps what the last one was told."""
    declared = Definitions(environments=(Environment(kind="Environment", id="production"),))
    first, second = measures.load(declared), measures.load(Definitions())
    assert len(first) == len(second)
    assert first != second


class Noting(MemoryHistory):
    """Notes of which kinds of fact it was asked who gives them."""

    def __init__(self) -> None:
        super().__init__(sources=[source(name, watermark=NOW) for name in ("github", "jira", "kubernetes")])
        self.asked: set[type[Fact]] = set()

    def sources(self, kind: type[Event | Reading] | None = None, sli: str = "") -> Sequence[SourceState]:
        if kind is not None:
            self.asked.add(kind)
        return super().sources(kind, sli)


def test_a_gauge_reads_every_kind_whose_age_it_looks_at() -> None:
    """The tick computes it anew when one of `reads` is stale; a kind that is missing there would be shown as fresh."""
    builds = {
        "kind": "Capability",
        "id": "builds",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{"team": {}}]},
        "adopted": {"source": "kubernetes", "count": "workloads"},
        "active": {"source": "github", "verb": "run"},
    }
    declared = Definitions(
        capabilities=(Capability.model_validate(builds),),
        ticketing=(ticketing(),),
        objectives=(
            objective(PIPELINE_RUNS),
            objective(SLA_CYCLES, slo="y", where={"queue": "help", "sla": "resolution"}),
        ),
    )
    asked: set[type[Fact]] = set()
    for measure in measures.load(declared):
        if isinstance(measure, Gauging):
            history = Noting()
            list(measure.compute(Scene(history=history, definitions=declared, now=NOW)))
            assert history.asked <= measure.reads, measure.metrics[0].name
            asked |= history.asked
    assert {PipelineRun, TicketEvent, Deployment, Node, Workload} <= asked
