"""What several pages show beside their subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import objective
from tests.support.views import rows, view

from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_SLI
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.gitops import GITOPS_SYNCS
from platform_meter.model.facts.instances import InstanceKind, Instances
from platform_meter.model.facts.kubernetes import NODE_MINUTES, PodStarted
from platform_meter.model.objective import StoredSli
from platform_meter.web.related import DAY, given, groups, known, names, slos, tallied, why_none

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
EU = Ref(system="kubernetes", kind="workload", id="eu/shop/Deployment/web")


def pod(hours: float) -> PodStarted:
    at = NOW - timedelta(hours=hours)
    return PodStarted(key=f"{hours}", at=at, about=EU, cluster="eu", owner_kind="job", seconds=2.0)


def test_a_window_ends_where_its_source_was_read() -> None:
    """Each source has its own; one that is late, was never read or is another's adds nothing."""
    states = [
        source("a", watermark=NOW - timedelta(hours=2)),
        source("late", watermark=NOW, fresh=False),
        source("new", watermark=None),
        source("other", watermark=NOW),
    ]
    told = [(s.instance, owner("pay"), pod(hours)) for s in states for hours in (1, 3, 25, 25.5, 26.5)]
    seen = view(NOW, MemoryHistory(told, sources=states))
    mine = {"a", "late", "new"}
    assert [(dim.bucket, count.n) for _, dim, count in tallied(seen, PodStarted, mine, DAY)] == [("2.5", 3)]
    assert [s.instance for s in given(seen, PodStarted, mine)] == ["a"]
    assert why_none(seen, PodStarted, mine) == "no fresh data from late"
    assert why_none(seen, PodStarted, {"a"}) == ""
    assert why_none(seen, PodStarted, {"gone"}) == "no source reads it"


@pytest.mark.parametrize(
    ("where", "said"), [({"cluster": "eu"}, True), ({}, False), ({"project": "x"}, False), ({"cluster": "us"}, None)]
)
def test_whether_an_sli_names_a_cluster(where: dict[str, str], said: bool | None) -> None:
    """One that names none counts all."""
    assert names(StoredSli(events=GITOPS_SYNCS, where=where), "cluster", "eu") is said
    assert names(StoredSli(events=GITOPS_SYNCS, where=where), "gateway", "eu") is None


def test_slos_with_least_budget_stand_first() -> None:
    """With the numbers of `/metrics` over their period; those without any last."""
    made = tuple(
        objective(NODE_MINUTES, slo=slo, where={"cluster": slo}) for slo in ("none", "half", "spent", "left-out")
    )
    now = rows(
        (SLO_BUDGET_REMAINING, ("half", "28d"), 0.5),
        (SLO_BUDGET_REMAINING, ("spent", "28d"), -0.2),
        (SLO_SLI, ("half", "1h"), 0.1),
        (SLO_SLI, ("half", "28d"), 0.95),
    )
    found = slos(
        view(NOW, rows=now, definitions=Definitions(objectives=made)),
        lambda sli: None if sli.where["cluster"] == "left-out" else sli.where["cluster"] != "none",
    )
    assert [(line.objective.slo, line.several, line.sli, line.left, line.level) for line in found] == [
        ("spent", False, None, -0.2, "bad"),
        ("half", False, 0.95, 0.5, "good"),
        ("none", True, None, None, ""),
    ]


def test_groups_of_instances() -> None:
    """More than expected are no more than that; what is not known is no number, and why is said."""
    numbers = {"a": (3, 5), "b": (4, 1), "c": (None, 2), "d": (2, None)}
    told = [
        (
            "late" if name == "late" else "prom",
            owner("pay"),
            Instances(
                about=Ref(system="prometheus", kind="instances", id=f"eu/agent/{name}"),
                cluster="eu",
                instance_kind=InstanceKind.AGENT,
                group=name,
                expected=expected,
                reporting=reporting,
            ),
        )
        for name, (expected, reporting) in {**numbers, "late": (9, 1), "x": (1, 1)}.items()
    ]
    states = [source("prom", watermark=NOW), source("late", watermark=NOW, fresh=False)]
    found = groups(view(NOW, MemoryHistory(told, sources=states)), lambda one: one.group != "x")
    assert [(g.group, g.expected, g.reporting, g.silent, g.why) for g in found] == [
        ("b", 4, 1, 3, ""),
        ("a", 3, 3, 0, ""),
        ("c", None, 2, None, "not known how many are expected"),
        ("d", 2, None, None, "nobody listened"),
        ("late", None, None, None, "no fresh data from late"),
    ]
    assert groups(view(NOW, MemoryHistory(told))) == []


def test_clusters_that_can_be_linked() -> None:
    """Those whose nodes are counted, each once."""
    now = rows((CLUSTER_NODES, ("eu", "ready"), 3.0), (CLUSTER_NODES, ("eu", "cordoned"), 0.0))
    assert known(view(NOW, rows=now)) == {"eu"}
