"""Which teams and services are known."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.adoption.units import roster
from platform_meter.model.definitions import Definitions, Service
from platform_meter.model.facts import Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_a_group_of_a_directory_owns_nothing_by_being_there() -> None:
    """A company has many that use no platform; a component makes its service and its team known."""
    told = [
        ("portal", owner("_unowned", "legal"), CatalogEntity(about=_ref("group", "legal"), service="", team="legal")),
        (
            "portal",
            owner("_unowned", "legal"),
            Membership(about=_ref("person", "a1"), people=("a1",), teams=("legal",)),
        ),
        ("portal", owner("shop", "pay"), CatalogEntity(about=_ref("component", "shop"), service="shop", team="pay")),
    ]
    history = MemoryHistory(told, sources=[source("portal", "backstage", watermark=NOW)])
    known = roster(Scene(history=history, definitions=Definitions(), now=NOW))
    assert (list(known.teams), list(known.services)) == (["pay"], ["shop"])


def test_a_service_is_what_its_entry_says() -> None:
    """A library, and not yet in production; what it does not say is as in a file, and a file comes before it."""
    told = [entry("money-lib", "library", "experimental", "shop"), entry("shop"), entry("web", "library")]
    history = MemoryHistory(told, sources=[source("portal", "backstage", watermark=NOW)])
    declared = Definitions(services=(Service(kind="Service", id="web", team="pay", type="website"),))
    known = roster(Scene(history=history, definitions=declared, now=NOW)).services
    assert {one.id: (one.kind_, one.lifecycle, one.system) for one in known.values()} == {
        "money-lib": ("library", "experimental", "shop"),
        "shop": ("service", "production", ""),
        "web": ("website", "production", ""),
    }


def entry(name: str, type_: str = "", lifecycle: str = "", system: str = "") -> tuple[str, Owner, CatalogEntity]:
    fact = CatalogEntity(
        about=_ref("component", name), service=name, team="pay", type=type_, lifecycle=lifecycle, system=system
    )
    return ("portal", owner(name, "pay"), fact)


def _ref(kind: str, name: str) -> Ref:
    return Ref(system="backstage", kind=kind, id=name)
