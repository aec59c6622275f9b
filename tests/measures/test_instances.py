"""Measures of instances."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import instances
from platform_meter.model.catalogue.instances import INSTANCES
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.instances import InstanceKind, Instances
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
EU, US = source("eu", "prometheus", watermark=NOW), source("us", "prometheus", watermark=NOW)


def group(
    name: str, expected: int | None, reporting: int | None, *, cluster: str = "eu", instance: str = "eu"
) -> tuple[str, Owner, Fact]:
    ref = Ref(system="prometheus", kind="instances", id=f"{cluster}/gateway/{name}")
    kind = InstanceKind.GATEWAY
    reading = Instances(
        about=ref, cluster=cluster, instance_kind=kind, group=name, expected=expected, reporting=reporting
    )
    return instance, NOBODY, reading


def told(readings: list[tuple[str, Owner, Fact]], *sources: SourceState) -> dict[tuple[str, ...], float | None]:
    scene = Scene(history=MemoryHistory(readings, sources=sources), definitions=Definitions(), now=NOW)
    samples = list(instances.instances(scene))
    assert all(s.metric is INSTANCES for s in samples)
    return {s.labels: resolve(s.value) for s in samples}


def test_groups_add_up_and_more_than_expected_is_all_of_them() -> None:
    """One that has two too many does not stand in for another's that is silent."""
    assert told([group("kong", 3, 5), group("nginx", 2, 1), group("apigee", 0, 0, cluster="us")], EU) == {
        ("gateway", "eu", "reporting"): 4.0,
        ("gateway", "eu", "silent"): 1.0,
        ("gateway", "us", "reporting"): 0.0,
        ("gateway", "us", "silent"): 0.0,
    }


def test_of_what_is_not_whole_nothing_is_told() -> None:
    """A group of which nothing is known now, in any order, or one whose source is stale: the others are not all."""
    unknown, known = group("kong", None, 3), group("nginx", 2, 2)
    assert told([unknown, known], EU) == told([known, unknown], EU) == {}
    assert told([group("kong", 3, None)], EU) == {}
    stale = source("us", "prometheus", watermark=NOW, fresh=False)
    other = group("apigee", 2, 2, instance="us")
    assert told([known, other], EU, stale) == told([other, known], EU, stale) == {}
    assert told([known, other], EU, US) == {("gateway", "eu", "reporting"): 4.0, ("gateway", "eu", "silent"): 0.0}


def test_a_source_that_is_no_longer_configured_counts_for_nothing() -> None:
    """What it said last neither adds to the others nor hides them."""
    assert told([group("nginx", 2, 1), group("old", 9, 0, instance="gone")], EU) == {
        ("gateway", "eu", "reporting"): 1.0,
        ("gateway", "eu", "silent"): 1.0,
    }
