"""The meter's own measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.support.adoption import service, teams
from tests.support.history import NOBODY, MemoryHistory, owner, source
from tests.support.objectives import objective

from platform_meter.measures import meter
from platform_meter.model.catalogue.entities import SERVICE_INFO, TEAM_INFO
from platform_meter.model.catalogue.meter import (
    OBJECTS_SEEN,
    OWNERSHIP_CONFLICTS,
    SOURCE_LAST_SUCCESS,
    SOURCE_UP,
    UNOWNED_OBJECTS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.slis import SLI
from platform_meter.model.history import Owner
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Metric, Sample, resolve
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def repo(name: str, whose: Owner, instance: str = "github") -> tuple[str, Owner, Fact]:
    return (instance, whose, Repository(about=Ref(system="github", kind="repository", id=name)))


def values(samples: list[Sample], metric: Metric) -> dict[tuple[str, ...], float | None]:
    return {s.labels: resolve(s.value) for s in samples if s.metric is metric}


def test_objects_are_counted_by_source_type_and_kind_with_those_unowned_and_disputed() -> None:
    """Instances of one type add up; kinds without a fault show 0; a stale source's objects are absent."""
    history = MemoryHistory(
        [
            repo("a", owner("a")),
            repo("b", NOBODY),
            repo("a", owner("a", conflict="5 CODEOWNERS -> b"), "github-2"),
            ("kube", owner("a"), Repository(about=Ref(system="kubernetes", kind="namespace", id="a"))),
            repo("z", NOBODY, "old"),
        ],
        sources=[
            source("github", watermark=NOW),
            source("github-2", "github", watermark=NOW),
            source("kube", "kubernetes", watermark=NOW),
            source("old", "gitlab", watermark=NOW, fresh=False),
        ],
    )
    scene = Scene(history=history, definitions=Definitions(), now=NOW)
    gauge = meter.MEASURES.standing[0]
    assert isinstance(gauge, Gauging)
    adds_up(gauge, scene)
    found = list(gauge.compute(scene))
    assert values(found, OBJECTS_SEEN) == {("github", "repository"): 3.0, ("kubernetes", "namespace"): 1.0}
    assert values(found, UNOWNED_OBJECTS) == {("github", "repository"): 1.0, ("kubernetes", "namespace"): 0.0}
    assert values(found, OWNERSHIP_CONFLICTS) == {
        ("github", "repository"): 1.0,
        ("kubernetes", "namespace"): 0.0,
    }


def test_the_team_of_an_slo_answers_for_what_it_counts() -> None:
    """An SLI that the SLO's file asks a source for needs no owner of its own; that of an SLO without one is nobody's."""

    def sli(id_: str) -> tuple[str, Owner, Fact]:
        return ("dd", NOBODY, Repository(about=Ref(system="datadog", kind="sli", id=id_)))

    of_team = objective(SLI, slo="web", where={"id": "datadog:web"})
    of_nobody = replace(objective(SLI, slo="db", where={"id": "datadog:db"}), owner="")
    history = MemoryHistory(
        [sli("datadog:web"), sli("datadog:db"), sli("other")], sources=[source("dd", "datadog", watermark=NOW)]
    )
    scene = Scene(history=history, definitions=Definitions(objectives=(of_team, of_nobody)), now=NOW)
    gauge = meter.MEASURES.standing[0]
    assert isinstance(gauge, Gauging)
    adds_up(gauge, scene)
    found = list(gauge.compute(scene))
    assert values(found, OBJECTS_SEEN) == {("datadog", "sli"): 3.0}
    assert values(found, UNOWNED_OBJECTS) == {("datadog", "sli"): 2.0}


def test_services_and_teams_are_shown_to_join_on() -> None:
    """A team that only a service names is known too, without org and persona; _unowned is no team."""
    definitions = Definitions(
        services=(service("shop", "pay", system="store", tier="1"), service("lost", "_unowned")),
        teams=teams("web", org="product", persona="app-developer"),
    )
    found = list(meter.entities(Scene(history=MemoryHistory(), definitions=definitions, now=NOW)))
    assert values(found, SERVICE_INFO) == {
        ("lost", "_unowned", "", ""): 1.0,
        ("shop", "pay", "store", "1"): 1.0,
    }
    assert values(found, TEAM_INFO) == {("pay", "", ""): 1.0, ("web", "product", "app-developer"): 1.0}


def test_services_and_teams_that_no_file_declares_are_shown_too() -> None:
    """Who owns an object by labels or CODEOWNERS is known to adoption, so there is a series to join on; _unowned is nobody."""
    history = MemoryHistory(
        [repo("a", owner("shop", "pay")), repo("b", owner("_unowned", "infra")), repo("c", NOBODY)],
        sources=[source("github", watermark=NOW)],
    )
    definitions = Definitions(services=(service("shop", "pay", system="store", tier="1"),))
    found = list(meter.entities(Scene(history=history, definitions=definitions, now=NOW)))
    assert values(found, SERVICE_INFO) == {("shop", "pay", "store", "1"): 1.0}
    assert values(found, TEAM_INFO) == {("infra", "", ""): 1.0, ("pay", "", ""): 1.0}
    found = list(meter.entities(Scene(history=history, definitions=Definitions(), now=NOW)))
    assert values(found, SERVICE_INFO) == {("shop", "pay", "", ""): 1.0}


def test_a_stale_source_is_down_and_keeps_the_time_of_its_last_success() -> None:
    """A source that never answered has no such time."""
    history = MemoryHistory(
        sources=[
            source("eu", "jira", watermark=NOW, fresh=False),
            source("us", "jira", watermark=None),
            source("github", watermark=NOW),
        ]
    )
    found = list(meter.sources(Scene(history=history, definitions=Definitions(), now=NOW)))
    assert values(found, SOURCE_UP) == {("github", "github"): 1.0, ("jira", "eu"): 0.0, ("jira", "us"): 1.0}
    assert values(found, SOURCE_LAST_SUCCESS) == {
        ("github", "github"): 1781092800.0,
        ("jira", "eu"): 1781092800.0,
    }
