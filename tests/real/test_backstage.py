"""The backstage source on a real catalog backend: entries with owners and members, pages, tokens, what changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.backstage import OTHER_TOKEN, TOKEN, Backstage, backstage
from tests.support.real_source import Connected, connected

from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.source import Forbidden, Refused
from platform_meter.sources.backstage import SOURCE, catalog
from platform_meter.sources.backstage.config import Config


def document(kind: str, name: str, notes: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "description": f"The {name}", **({"annotations": notes} if notes else {})}
    version = "backstage.io/v1alpha1"
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}


ANN = document("User", "ann", profile={"displayName": "Ann", "email": "Ann@example.test"}, memberOf=["payments"])
ORPHAN = document("Component", "orphan", type="service", lifecycle="experimental", owner="group:default/no-such-team")
DOCUMENTS = [
    document("Group", "money", type="business-unit", children=[]),
    document("Group", "payments", type="team", parent="money", children=[]),
    document("Group", "idle", type="team", children=[]),
    ANN,
    document("System", "checkout", owner="payments"),
    document(
        "Component",
        "pay-api",
        {"github.com/project-slug": "example/pay-api", "example.test/contact": "Ann"},
        type="service",
        lifecycle="production",
        owner="payments",
        system="checkout",
    ),
    ORPHAN,
    document("API", "pay", type="openapi", lifecycle="production", owner="idle", system="checkout", definition="x"),
    document("Resource", "db", type="database", owner="user:default/ann"),
]
BESIDE = 1
"""The Location that the catalog makes of the setting."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backstage]:
    with backstage(tmp_path_factory.mktemp("backstage"), DOCUMENTS) as made:
        made.settled(len(DOCUMENTS) + BESIDE)
        yield made


@pytest.fixture
def meter(server: Backstage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    monkeypatch.setenv("BACKSTAGE_TOKEN", TOKEN)
    settings = {"url": server.url, "token": {"env": "BACKSTAGE_TOKEN"}, "templates": False}
    with connected(SOURCE, Config.model_validate(settings)) as made:
        yield made


def standing(meter: Connected) -> tuple[dict[str, CatalogEntity], dict[str, Membership]]:
    """What a poll of the catalog tells."""
    reader = meter.stream("catalog")
    reader.run()
    entries = {one.about.id: one for one in reader.readings.values() if isinstance(one, CatalogEntity)}
    people = {one.about.id: one for one in reader.readings.values() if isinstance(one, Membership)}
    return entries, people


def test_entries_have_their_owners_and_what_they_lack(meter: Connected) -> None:
    """In pages, by cursor; groups that are above a team have its members, and what a person owns has no team."""
    assert meter.check() == []
    found, _ = standing(meter)
    assert {name: (one.team, str(one.owner), one.missing) for name, one in found.items()} == {
        "group:default/money": ("money", "group", ()),
        "group:default/payments": ("payments", "group", ()),
        "group:default/idle": ("idle", "group", ()),
        "system:default/checkout": ("payments", "group", ()),
        "component:default/pay-api": ("payments", "group", ()),
        "component:default/orphan": ("no-such-team", "unknown", ("owner", "system")),
        "api:default/pay": ("idle", "empty", ("owner",)),
        "resource:default/db": ("", "person", ("owner", "system")),
    }
    pay = found["component:default/pay-api"]
    assert (pay.service, pay.annotations) == ("pay-api", (("github.com/project-slug", "example/pay-api"),))
    assert (pay.type, pay.lifecycle, pay.system) == ("service", "production", "checkout")


def test_people_are_hashes_in_teams(meter: Connected) -> None:
    """By the name of the portal and by the mail address; a business unit is no team."""
    entries, people = standing(meter)
    (ann,) = people.values()
    assert ann.teams == ("payments",)
    assert set(ann.people) == {meter.way.hashed("ann"), meter.way.hashed("ann@example.test")}
    told = repr([*entries.values(), ann])
    assert [name for name in ("Ann", "ann@", "default/ann") if name in told] == []


def test_pages_by_cursor_and_by_offset_are_the_same(meter: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows, whatever the catalog orders them by."""
    whole = standing(meter)
    monkeypatch.setattr(catalog, "PER_PAGE", 2)
    assert standing(meter) == whole
    monkeypatch.setattr(catalog, "BY_QUERY", "/api/catalog/entities/by-no-query")
    assert standing(meter) == whole


def test_what_changes_is_told_and_what_is_taken_away_is_over(server: Backstage, meter: Connected) -> None:
    """Once the only member left, the group owns nothing any more: what it had is incomplete, though nobody touched it."""
    server.write([one for one in DOCUMENTS if one not in (ANN, ORPHAN)])
    try:
        server.settled(len(DOCUMENTS) + BESIDE - 2)
        entries, people = standing(meter)
    finally:
        server.write(DOCUMENTS)
    server.settled(len(DOCUMENTS) + BESIDE)
    assert (people, "component:default/orphan" in entries) == ({}, False)
    assert entries["component:default/pay-api"].missing == ("owner",)
    assert len(standing(meter)[1]) == 1


@pytest.mark.parametrize(("token", "error"), [("no-such-token-0123456789", Refused), (OTHER_TOKEN, Forbidden)])
def test_a_token_that_may_not_read_says_so(
    server: Backstage, token: str, error: type[Refused], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is unknown, and one that is of another plugin."""
    monkeypatch.setenv("BACKSTAGE_TOKEN", token)
    settings = {"url": server.url, "token": {"env": "BACKSTAGE_TOKEN"}, "templates": False}
    with connected(SOURCE, Config.model_validate(settings)) as meter, pytest.raises(error):
        meter.stream("catalog").run()
