"""Backstage: the case of the contract test, and what only Backstage does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.backstage.backstage_server import ALL, BY_QUERY, TASKS, Backstage, entry, run, user

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import (
    USE,
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
    TemplateStarted,
)
from platform_meter.model.proposal import Surroundings
from platform_meter.model.push import Pushed
from platform_meter.sources.backstage import SOURCE
from platform_meter.sources.backstage.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "url": "https://backstage.example",
    "token": {"env": "BACKSTAGE_TOKEN"},
    "analytics": True,
}
hashed = FakeOutside({}).hashed
OWNED = ("ownedBy", "group:default/payments")
PAYMENTS = entry("Group", "payments", spec={"type": "team", "children": []})
PAY = entry(
    "Component",
    "pay-api",
    OWNED,
    ("partOf", "system:default/checkout"),
    spec={"type": "service", "lifecycle": "production", "owner": "payments", "system": "checkout"},
    notes={
        "github.com/project-slug": "acme/pay-api",
        "acme.test/contact": "Ann",
        "backstage.io/source-template": "template:default/new-service",
    },
    description="Takes money",
)
LOST = entry("Component", "lost", ("ownedBy", "group:default/gone"), spec={"type": "service", "owner": "gone"})
PLACE = {"owner": "group:default/payments", "repoUrl": "github.com?owner=acme&repo=pay-new"}


def small_world() -> Backstage:
    return Backstage(
        entries=[PAYMENTS, user("ann", "payments"), PAY, LOST, entry("Location", "root")],
        runs=[
            run("t3", "processing", "2026-06-01T11:50:00Z", "2026-06-01T11:59:59Z"),
            run("t2", "failed", "2026-06-01T10:00:00Z", "2026-06-01T10:00:30Z", **PLACE),
            run("t1", "completed", "2026-06-01T09:00:00Z", "2026-06-01T09:01:00Z", **PLACE),
            run("t0", "open", "2026-06-01T08:00:00Z"),
        ],
    )


def later_world() -> Backstage:
    world = small_world()
    world.entries = [PAYMENTS, user("ann", "payments"), PAY, entry("API", 7), entry("API", "pay", OWNED)]
    world.runs = [
        run("t4", "cancelled", "2026-06-01T12:30:00Z"),
        run(4, "completed", "2026-06-01T12:20:00Z"),
        run("t3", "completed", "2026-06-01T11:50:00Z", "2026-06-01T12:10:00Z"),
        *world.runs[1:],
    ]
    world.remotes = {"t3": "https://github.com/acme/made.git"}
    world.refused = frozenset({f"{TASKS}/t0"})
    return world


def listed(kind: str, name: str, **more: Any) -> CatalogEntity:
    about = Ref(system="backstage", kind=kind, id=f"{kind}:default/{name}")
    url = f"https://backstage.example/catalog/default/{kind}/{name}"
    told = {"service": "", "team": "payments", "owner": OwnerState.GROUP, **more}
    return CatalogEntity(about=about, kind=kind, url=url, **told)


ANN = hashed("ann")
OURS = "backstage:group:default/payments"
MEMBER = Membership(
    about=Ref(system="backstage", kind="person", id=ANN, links=(OURS,)),
    people=tuple(sorted({ANN, hashed("ann@example.test")})),
    teams=("payments",),
)
PAY_LISTED = listed(
    "component",
    "pay-api",
    service="pay-api",
    annotations=(("github.com/project-slug", "acme/pay-api"),),
    template="new-service",
    type="service",
    lifecycle="production",
    system="checkout",
)


def of_run(id_: str, *links: str) -> Ref:
    return Ref(system="backstage", kind="template_run", id=id_, links=(OURS, *links))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-01T{text}+00:00")


def began(id_: str, when: str, *links: str) -> TemplateStarted:
    return TemplateStarted(
        key=f"started/{id_}", at=at(when), about=of_run(id_, *links), template="new-service", actor=ANN
    )


def ended(id_: str, when: str, outcome: str, started: str, *links: str, repository: str = "") -> TemplateRun:
    return TemplateRun(
        key=f"run/{id_}",
        at=at(when),
        about=of_run(id_, *links),
        updated=at(when),
        template="new-service",
        outcome=TemplateOutcome(outcome),
        started=at(started),
        actor=ANN,
        repository=repository,
    )


def did(action: str, subject: str, id_: str, plugin: str = "catalog", **more: Any) -> dict[str, Any]:
    """An event as Backstage's analytics API makes it, with what a collector adds."""
    context = {"pluginId": plugin, "routeRef": "unknown", "extension": "App"}
    told = {"action": action, "subject": subject, "attributes": {"to": "/x"}, "context": context}
    return {**told, "timestamp": "2026-06-01T11:00:00Z", "userEntityRef": "user:default/Ann", "id": id_, **more}


def sent(*events: dict[str, Any]) -> Pushed:
    return Pushed(headers={}, body=json.dumps(list(events)).encode(), at=NOW, hashed=hashed)


SENT = sent(
    did("navigate", "/catalog/default/component/pay-api", "e1"),
    did("navigate", "/docs/default/Component/pay-api/guide?q=Ann#top", "e2", "techdocs"),
    did("search", "who is Ann", "e3", "search", value=3),
    did("helpful", "/docs/default/component/pay-api", "e4", "techdocs", value=0),
)
SAID: dict[str, Any] = {
    "at": at("11:00:00"),
    "about": Ref(system="backstage", kind="person", id=ANN),
    "actor": ANN,
}
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=NOW - timedelta(days=1),
    pushed=[SENT],
    expected=[
        listed("group", "payments"),
        MEMBER,
        PAY_LISTED,
        listed(
            "component",
            "lost",
            service="lost",
            team="gone",
            type="service",
            owner=OwnerState.UNKNOWN,
            missing=("description", "lifecycle", "owner", "system"),
        ),
        began("t0", "08:00:00"),
        began("t1", "09:00:00", "github:acme/pay-new"),
        ended("t1", "09:01:00", "success", "09:00:00", "github:acme/pay-new", repository="github:acme/pay-new"),
        began("t2", "10:00:00", "github:acme/pay-new"),
        ended("t2", "10:00:30", "failed", "10:00:00", "github:acme/pay-new"),
        began("t3", "11:50:00"),
        PortalVisit(key="analytics/e1", area="catalog", **SAID),
        DocsView(key="analytics/e2", area="pay-api", **SAID),
        PortalSearch(key="analytics/e3", area="search", found=Found.HIT, **SAID),
        DocsVote(key="analytics/e4", area="pay-api", helpful=Helpful.NO, **SAID),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(hours=1),
        expected=[
            listed("api", "pay", missing=("description", "lifecycle", "system")),
            ended("t3", "12:10:00", "success", "11:50:00", repository="github:acme/made"),
            began("t4", "12:30:00"),
            ended("t4", "12:30:00", "cancelled", "12:30:00"),
        ],
        over=frozenset({(CatalogEntity, "component/component:default/lost")}),
        gaps=["template run t0: "],
        rejected=2,
    ),
    people=["Ann", "ann@", "user:default"],
    without=[
        ({"catalog": False}, frozenset({CatalogEntity, Membership})),
        ({"templates": False}, frozenset({TemplateStarted, TemplateRun})),
        ({"analytics": False}, frozenset(USE)),
    ],
)


def told(world: Any, stream: str, **settings: Any) -> list[Fact]:
    """All that one poll of a stream says."""
    outside = world if isinstance(world, FakeOutside) else FakeOutside(world)
    streams = SOURCE.connect(Config.model_validate({**SETTINGS, **settings}), outside, "backstage")
    (found,) = (one for one in streams if one.name == stream)
    return [fact for page in found.read(None, NOW - timedelta(days=1), NOW) for fact in page.facts]


def test_a_token_is_let_in() -> None:
    """A static token of the backend, or a service token."""
    token = Token(secret=Secret(env="BACKSTAGE_TOKEN"))
    access = SOURCE.access(Config.model_validate(SETTINGS))
    assert access == Access(url="https://backstage.example", credential=token)


@pytest.mark.parametrize(
    "more",
    [
        {"catalog": False, "templates": False, "analytics": False},
        {"required": ["owners"]},
        {"analytics": False, "webhook": {"env": "SECRET"}},
    ],
)
def test_settings_that_read_nothing_or_ask_for_nothing_known_are_refused(more: dict[str, Any]) -> None:
    """What an entry may be asked to have is one of the words of the documentation; only what is taken is signed."""
    with pytest.raises(ValidationError):
        Config.model_validate({**SETTINGS, **more})


def test_the_catalog_is_read_seldom() -> None:
    """Whole each time, so every five minutes; runs of templates as often as the setting says."""
    streams = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside({}), "backstage")
    every = {stream.name: stream.every for stream in streams}
    assert every == {"catalog": timedelta(minutes=5), "templates": None, "analytics": None}


def problems(world: Any, **settings: Any) -> list[str]:
    return list(SOURCE.check(Config.model_validate({**SETTINGS, **settings}), FakeOutside(world)))


def test_check_names_what_lacks() -> None:
    """Each list by itself; a portal without a scaffolder says so, and one that shows nothing."""
    refused = small_world()
    refused.refused = frozenset({BY_QUERY, TASKS})
    assert problems(refused) == [
        f"catalog: GET {BY_QUERY}: 403; let the token into the plugin catalog (accessRestrictions), or write catalog: false",
        f"templates: GET {TASKS}: 403; let the token into the plugin scaffolder (accessRestrictions) with scaffolder.task.read, or write templates: false",
    ]
    assert problems({BY_QUERY: {"items": []}}) == [
        "catalog: not one entry may be seen; let the token read the catalog, or write catalog: false",
        f"templates: GET {TASKS}: 404; no scaffolder runs there: write templates: false",
    ]
    assert problems({BY_QUERY: {"items": []}}, catalog=False, templates=False) == []


def test_init_proposes_the_backstage_of_the_environment() -> None:
    """Where both its address and a token are at hand."""
    around = Surroundings(
        variables=frozenset({"BACKSTAGE_TOKEN"}), addresses={"BACKSTAGE_URL": "https://portal.example"}
    )
    found = {"backstage": {"url": "https://portal.example", "token": {"env": "BACKSTAGE_TOKEN"}}}
    assert SOURCE.propose(around).found == found  # type: ignore[union-attr]  # it always proposes something
    assert SOURCE.propose(Surroundings()).found == {}  # type: ignore[union-attr]


def test_an_old_release_gives_the_same() -> None:
    """One that knows no cursor is read by offset; one that knows no pages of runs gives them all at once."""
    old, new = small_world(), small_world()
    old.old = True
    for stream in ("catalog", "templates"):
        assert set(told(old, stream)) == set(told(new, stream))
    outside = FakeOutside(old)
    told(outside, "catalog")
    assert [call.path for call in outside.calls] == [BY_QUERY, ALL, ALL, ALL, ALL]
