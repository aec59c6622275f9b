"""What a portal tells, for tests of what is made of it: (source instance, owner, fact)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.support.history import NOBODY, owner

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.portal import (
    CatalogEntity,
    DocsView,
    DocsVote,
    Found,
    Helpful,
    OwnerState,
    PortalSearch,
    PortalVisit,
    TemplateOutcome,
    TemplateRun,
)
from platform_meter.model.history import Owner

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Told = tuple[str, Owner, Fact]


def entity(name: str, kind: str = "component", *missing: str, team: str = "pay", notes: str = "", **more: str) -> Told:
    """An entry, whose annotation may name a repository of GitHub."""
    fact = CatalogEntity(
        about=Ref(system="backstage", kind=kind, id=f"{kind}:default/{name}"),
        service=name if kind == "component" else "",
        team=team,
        kind=kind,
        owner=OwnerState.NONE if "owner" in missing else OwnerState.GROUP,
        missing=missing,
        annotations=(("github.com/project-slug", notes),) if notes else (),
        template=more.get("template", ""),
        url=f"https://portal.example/catalog/default/{kind}/{name}",
    )
    return ("portal", owner("_unowned", team), fact)


def workload(name: str, service: str = "", cluster: str = "eu", rule: str = "1 test", namespace: str = "shop") -> Told:
    about = Ref(system="kubernetes", kind="workload", id=f"{cluster}/{namespace}/deployment/{name}")
    whose = Owner(service=service or "_unowned", team="pay", rule=rule)
    return (cluster, whose, Workload(about=about, cluster=cluster, namespace=namespace, workload_kind="deployment"))


def built(name: str, service: str = "", days: float = 1) -> Told:
    """A run of CI in a repository."""
    about = Ref(system="github", kind="repository", id=f"acme/{name}")
    fact = PipelineRun(
        key=f"{name}{days}",
        at=NOW - days * DAY,
        about=about,
        pipeline="ci",
        outcome=Outcome.SUCCESS,
        ran=DAY / 1440,
        group=name,
    )
    return ("github", owner(service, "pay") if service else NOBODY, fact)


def repository(name: str, days: float | None) -> Told:
    """One that came to be so many days ago."""
    about = Ref(system="github", kind="repository", id=f"acme/{name}")
    return ("github", NOBODY, Repository(about=about, since=None if days is None else NOW - days * DAY))


def ran(key: str, outcome: str = "success", days: float = 1, made: str = "", template: str = "new-service") -> Told:
    """A run of a template that ended so many days ago, and took a minute."""
    ended = NOW - days * DAY
    fact = TemplateRun(
        key=f"run/{key}",
        at=ended,
        about=Ref(system="backstage", kind="template_run", id=key),
        template=template,
        outcome=TemplateOutcome(outcome),
        started=ended - DAY / 1440,
        actor="a1",
        repository=made,
    )
    return ("portal", owner("_unowned", "pay"), fact)


def person(actor: str) -> Ref:
    return Ref(system="backstage", kind="person", id=actor or "unknown")


def visit(actor: str, days: float, instance: str = "portal") -> Told:
    key = f"{instance}/{actor}/{days}"
    return (
        instance,
        NOBODY,
        PortalVisit(key=key, at=NOW - days * DAY, about=person(actor), area="catalog", actor=actor),
    )


def search(actor: str, days: float, found: str, area: str = "search") -> Told:
    key = f"s/{actor}/{days}/{area}/{found}"
    fact = PortalSearch(key=key, at=NOW - days * DAY, about=person(actor), area=area, found=Found(found), actor=actor)
    return ("portal", NOBODY, fact)


def view(actor: str, days: float, area: str) -> Told:
    fact = DocsView(key=f"v/{actor}/{days}", at=NOW - days * DAY, about=person(actor), area=area, actor=actor)
    return ("portal", NOBODY, fact)


def votes(area: str, days: float, *said: str) -> Sequence[Told]:
    return [
        (
            "portal",
            NOBODY,
            DocsVote(
                key=f"{area}/{days}/{number}", at=NOW - days * DAY, about=person(""), area=area, helpful=Helpful(one)
            ),
        )
        for number, one in enumerate(said)
    ]
