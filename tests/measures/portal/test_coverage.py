"""Coverage of the catalog, worked out by hand."""

from __future__ import annotations

from tests.support.history import MemoryHistory, source
from tests.support.portal import NOW, Told, built, entity, workload

from platform_meter.measures.portal.coverage import COVERAGE, deployables
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

GIVES: dict[str, frozenset[type[Fact]]] = {
    "backstage": frozenset({CatalogEntity}),
    "kubernetes": frozenset({Workload}),
    "github": frozenset({PipelineRun}),
}
PORTAL, EU, US, GITHUB = (
    source(name, type_, watermark=NOW)
    for name, type_ in (("portal", "backstage"), ("eu", "kubernetes"), ("us", "kubernetes"), ("github", "github"))
)


def scene(*told: Told, sources: tuple[SourceState, ...] = (PORTAL, EU, US, GITHUB)) -> Scene:
    return Scene(history=MemoryHistory(told, sources=sources, gives=GIVES), definitions=Definitions(), now=NOW)


def share(at: Scene) -> list[float | None]:
    adds_up(COVERAGE, at)
    return [resolve(sample.value) for sample in COVERAGE.compute(at)]


def test_a_service_is_one_deployable_wherever_it_is_seen() -> None:
    """pay runs in two clusters and is built: one, listed. shop is not listed. A workload of nobody is one in both clusters."""
    at = scene(
        entity("pay"),
        workload("pay", "pay"),
        workload("pay", "pay", "us"),
        built("pay", "pay"),
        built("shop", "shop"),
        workload("lost"),
        workload("lost", cluster="us"),
        built("tool"),
    )
    assert share(at) == [0.25]
    assert [(one.name, one.listed) for one in deployables(at) or ()] == [
        ("github:acme/tool", False),
        ("kubernetes:shop/deployment/lost", False),
        ("pay", True),
        ("shop", False),
    ]


def test_what_an_entry_claims_by_an_annotation_is_listed() -> None:
    """A resource or a system is no service, and is an entry all the same."""
    assert share(scene(entity("db", "resource"), workload("db", rule="2 catalog resource:default/db x=y"))) == [1.0]


def test_what_a_cluster_runs_for_itself_is_no_deployable() -> None:
    """No catalog lists it; another namespace of the platform's is one like all others."""
    told = (workload("dns", namespace="kube-system"), workload("metrics", namespace="monitoring"))
    assert share(scene(entity("pay"), workload("pay", "pay"), *told)) == [0.5]


def test_what_was_built_long_ago_is_not_seen() -> None:
    """28 days; a run on the first of them still counts."""
    assert share(scene(entity("pay"), built("old", days=28.1), built("edge", days=28.0))) == [0.0]
    assert share(scene(entity("pay"), built("old", days=28.1))) == [None]


def test_without_a_catalog_or_anything_seen_there_is_no_share() -> None:
    """Nor with a stale catalog; a stale cluster is not seen."""
    stale = source("portal", "backstage", watermark=NOW, fresh=False)
    assert share(scene(workload("pay", "pay"), sources=(EU,))) == []
    assert share(scene(entity("pay"), workload("pay", "pay"), sources=(stale, EU))) == []
    assert share(scene(entity("pay"), sources=(PORTAL,))) == []
    cold = source("us", "kubernetes", watermark=NOW, fresh=False)
    told = (entity("pay"), workload("pay", "pay"), workload("lost", cluster="us"))
    assert share(scene(*told, sources=(PORTAL, EU, cold))) == [1.0]
