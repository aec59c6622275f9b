"""Whose an entry is, what it lacks, and who is in which team."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.backstage.backstage_server import Backstage, Row, entry, user

from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.source import Unreachable
from platform_meter.sources.backstage import catalog
from platform_meter.sources.backstage.config import Config
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

hashed = FakeOutside({}).hashed


def group(name: str, *relations: tuple[str, str], type_: str = "team", **spec: Any) -> Row:
    return entry("Group", name, *relations, spec={"type": type_, "children": [], **spec})


def read(*entries: Row, **settings: Any) -> list[Any]:
    config = Config.model_validate(
        {"url": "https://backstage.example/", "token": {"env": "BACKSTAGE_TOKEN"}, **settings}
    )
    (page,) = catalog.pages(config, Sieve(FakeOutside(Backstage(entries=list(entries)))))
    return list(page.facts)


def listed(*entries: Row, **settings: Any) -> dict[str, CatalogEntity]:
    found = read(*entries, **settings)
    return {fact.about.id: fact for fact in found if isinstance(fact, CatalogEntity) and fact.kind != "group"}


def teams(*entries: Row, **settings: Any) -> dict[str, tuple[str, ...]]:
    """By hash of the user's name."""
    members = [fact for fact in read(*entries, **settings) if isinstance(fact, Membership)]
    return {fact.about.id: fact.teams for fact in members}


PEOPLE = (group("pay", ("childOf", "group:default/money")), group("money", type_="department"), user("ann", "pay"))


@pytest.mark.parametrize(
    ("owner", "state", "team"),
    [
        ([("ownedBy", "group:default/pay")], "group", "pay"),
        ([("ownedBy", "group:default/money")], "group", "money"),
        ([("ownedBy", "group:default/idle")], "empty", "idle"),
        ([("ownedBy", "group:default/gone")], "unknown", "gone"),
        ([("ownedBy", "group:ops/pay")], "unknown", "ops/pay"),
        ([("ownedBy", "user:default/ann")], "person", ""),
        ([("ownedBy", "user:default/bob")], "unknown", ""),
        ([], "none", ""),
    ],
)
def test_only_a_group_with_members_owns(owner: list[tuple[str, str]], state: str, team: str) -> None:
    """Members of groups below it are its own; the owner is missing otherwise, whatever stands there."""
    found = listed(*PEOPLE, group("idle"), entry("Component", "a", *owner))["component:default/a"]
    assert (found.owner, found.team) == (state, team)
    assert ("owner" in found.missing) is (state != "group")


@pytest.mark.parametrize(
    ("said", "team"), [("pay", "pay"), ("group:pay", "pay"), ("ops/pay", "ops/pay"), ("group:default/Pay", "pay")]
)
def test_an_owner_as_people_write_it_stands_for_the_relation(said: str, team: str) -> None:
    """Where the portal has not made relations of it yet."""
    assert listed(*PEOPLE, entry("API", "a", spec={"owner": said}))["api:default/a"].team == team


def test_an_entry_lacks_only_what_its_kind_can_have() -> None:
    """A system has no lifecycle, an API has one; an empty text is none."""
    owned = ("ownedBy", "group:default/pay")
    full = {"lifecycle": "production", "system": "shop"}
    found = listed(
        *PEOPLE,
        entry("System", "a", owned, description="Sells"),
        entry("API", "a", owned, description=""),
        entry("Resource", "a", owned, description="Keeps"),
        entry("Component", "a", owned, spec=full, description="Sells"),
    )
    assert {name: entity.missing for name, entity in found.items()} == {
        "system:default/a": (),
        "api:default/a": ("description", "lifecycle", "system"),
        "resource:default/a": ("system",),
        "component:default/a": (),
    }
    asked = {"required": ["docs", "tags", "domain"]}
    noted = {"backstage.io/techdocs-ref": "dir:."}
    found = listed(
        *PEOPLE,
        entry("System", "a", owned, notes=noted, tags=["x"]),
        entry("Component", "a", owned, tags=[]),
        **asked,
    )
    assert {name: entity.missing for name, entity in found.items()} == {
        "system:default/a": ("domain",),
        "component:default/a": ("docs", "tags"),
    }


def test_a_page_is_that_of_the_portal() -> None:
    """At the address where people open it, which may be another than the backend's."""
    shop = entry("Component", "Shop", namespace="ops")
    assert listed(shop)["component:ops/shop"].url == "https://backstage.example/catalog/ops/component/shop"
    found = listed(shop, portal="https://portal.example")["component:ops/shop"]
    assert (found.service, found.url) == ("ops/shop", "https://portal.example/catalog/ops/component/shop")


def test_a_person_is_in_their_groups_and_in_teams_above() -> None:
    """However the group was told: by the user, by the group, by relations; a department is no team, a circle ends."""
    ann, bob, cy, di = (hashed(name) for name in ("ann", "bob", "cy", "di"))
    found = teams(
        group("pay", ("childOf", "group:default/shop")),
        group("shop", parent="money", children=["search"]),
        group("money", type_="department", parent="pay"),
        group("search", ("hasMember", "user:default/cy")),
        group("guild", members=["bob"]),
        user("ann", "pay"),
        user("bob", "money"),
        user("cy"),
        user("di", "gone"),
    )
    assert found == {ann: ("pay", "shop"), bob: ("guild", "pay", "shop"), cy: ("pay", "search", "shop"), di: ()}
    chapters = teams(group("pay", type_="chapter"), user("ann", "pay"), no_teams=["chapter"])
    assert chapters == {ann: ()}


def test_what_somebody_does_is_their_teams_where_they_are_in_one() -> None:
    """Of two teams nothing tells which one it was for."""
    one, two = user("ann", "pay"), user("bob", "pay", "ops")
    members = {
        fact.about.id: fact for fact in read(group("pay"), group("ops"), one, two) if isinstance(fact, Membership)
    }
    ann, bob = members[hashed("ann")], members[hashed("bob")]
    assert (ann.about.links, bob.about.links) == (("backstage:group:default/pay",), ())
    assert ann.people == tuple(sorted({hashed("ann"), hashed("ann@example.test")}))


def test_an_empty_catalog_is_not_believed() -> None:
    """While a portal starts it has none; the owners that it told of stand."""
    with pytest.raises(Unreachable, match="the catalog is empty; it is being loaded, or the token may see nothing"):
        read()
