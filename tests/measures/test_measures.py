"""Measures are found by themselves: a module in the package is all it takes."""

from __future__ import annotations

from platform_meter import measures
from platform_meter.model import catalogue
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.measure import Counting, Deriving, Gauging

OWN = {
    "platform_meter_build_info",
    "platform_meter_source_poll_duration_seconds",
    "platform_meter_source_requests_total",
    "platform_meter_source_rate_limit_remaining_ratio",
    "platform_meter_source_import_ratio",
    "platform_meter_source_gaps_total",
    "platform_meter_events_total",
    "platform_meter_events_rejected_total",
    "platform_meter_series",
    "platform_meter_series_dropped_total",
    "platform_meter_config_valid",
    "platform_meter_store_bytes",
    "platform_adoption_transitions_total",
}
"""What the store and the process say themselves, no measure."""


def test_every_declared_metric_is_measured_by_one() -> None:
    """No metric of the catalogue is left without a measure, and none has two."""
    found = [m.name for one in measures.load(Definitions()) if not isinstance(one, Deriving) for m in one.metrics]
    assert sorted(found) == sorted(set(found))
    assert set(found) == set(catalogue.ALL) - OWN


def test_each_kind_of_measure_is_among_them() -> None:
    """Counters for new events, gauges over history, and events that time alone causes."""
    kinds = {type(one) for one in measures.load(Definitions())}
    assert kinds == {Counting, Gauging, Deriving}


def test_what_people_declare_reaches_the_measures() -> None:
    """Two loads with other definitions are other measures: none keeps what the last one was told."""
    declared = Definitions(environments=(Environment(kind="Environment", id="production"),))
    first, second = measures.load(declared), measures.load(Definitions())
    assert len(first) == len(second)
    assert first != second
