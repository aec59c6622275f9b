"""Who asks: by the group that a ticket names, else by the teams of who asked; and what that makes of the load."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import created, hours, step, ticketing

from platform_meter.measures.support.asking import asked, users
from platform_meter.model.definitions import Definitions, Ownership, Ticketing
from platform_meter.model.facts import Event, Reading, Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.tickets import TicketChange
from platform_meter.model.measure import Scene

NOW = hours(24 * 100)
MONTH = timedelta(days=28)
RULES = [
    {"match": "desk:organizations/1", "team": "team-pay"},
    {"match": "desk:organizations/2", "team": "team-shop"},
    {"match": "desk:organizations/2", "team": "team-cart", "since": NOW - timedelta(days=5)},
]


def member(teams: Sequence[str], *people: str, id_: str = "") -> Membership:
    return Membership(
        about=Ref(system="portal", kind="user", id=id_ or people[0]), people=tuple(people), teams=tuple(teams)
    )


def ticket(days: float, **more: Any) -> Event:
    """Created so many days ago."""
    return created(NOW - timedelta(days=days), ticket=f"T-{days}", **more)


def scene(
    facts: Sequence[Event],
    *queues: Ticketing,
    held: Sequence[tuple[Membership, datetime, datetime | None]] = (),
    fresh: bool = True,
) -> Scene:
    kept: list[tuple[str, Any, Reading, datetime, datetime | None]] = [
        ("portal", owner("portal"), reading, start, until) for reading, start, until in held
    ]
    history = MemoryHistory(
        [("desk", owner("platform"), fact) for fact in facts],
        sources=[source("desk", "zendesk", watermark=NOW, fresh=fresh)],
        held=kept,
    )
    files = queues or (ticketing(source={"type": "zendesk"}),)
    rules = Ownership.model_validate({"kind": "Ownership", "rules": RULES})
    return Scene(history=history, definitions=Definitions(ticketing=files, ownership=(rules,)), now=NOW)


def test_a_group_is_its_owners_of_that_time() -> None:
    """Organisation 2 was another team's ten days ago; one that no rule names is nobody's."""
    facts = [ticket(n, asking=f"desk:organizations/{of}") for n, of in ((1, 1), (2, 2), (10, 2), (11, 9))]
    by_team, whole = asked(scene(facts), MONTH)
    assert (by_team, whole) == ({"team-pay": 1, "team-cart": 1, "team-shop": 1}, 4)


def test_a_person_is_in_the_teams_of_that_time() -> None:
    """Moved from one to the other ten days ago; before the first look, where that found them; gone, nowhere."""
    ten = NOW - timedelta(days=10)
    held = [
        (member(["team-a"], "h1", "h1-mail"), NOW - timedelta(days=20), ten),
        (member(["team-b", "team-c"], "h1", "h1-mail"), ten, NOW - timedelta(days=2)),
    ]
    facts = [ticket(n, requester="h1-mail") for n in (25, 15, 5, 1)]
    by_team, whole = asked(scene(facts, held=held), MONTH)
    assert (by_team, whole) == ({"team-a": 2, "team-b": 1, "team-c": 1}, 4)


def test_the_group_comes_before_the_person() -> None:
    """Unless nobody owns it; who asks without either is not known."""
    held = [(member(["team-a"], "h1"), NOW - timedelta(days=50), None)]
    facts = [
        ticket(1, requester="h1", asking="desk:organizations/1"),
        ticket(2, requester="h1", asking="desk:organizations/9"),
        ticket(3, requester="h2"),
        ticket(4),
    ]
    assert asked(scene(facts, held=held), MONTH) == ({"team-pay": 1, "team-a": 1}, 4)


def test_of_two_directories_both_count() -> None:
    """The same person by the same hash."""
    since = NOW - timedelta(days=50)
    held = [(member(["team-a"], "h1"), since, None), (member(["team-a", "team-b"], "h1", id_="other"), since, None)]
    assert asked(scene([ticket(1, requester="h1")], held=held), MONTH) == ({"team-a": 1, "team-b": 1}, 1)


def test_each_queue_has_those_who_asked_it_first() -> None:
    """A ticket counts where it was created; of a stale source nothing is known, and older ones are not in the window."""
    one = "desk:organizations/1"
    plat, ops = (ticketing(id=id_, source={"type": "zendesk", "select": id_}) for id_ in ("PLAT", "OPS"))
    facts = [
        ticket(1, asking=one),
        step(NOW - timedelta(hours=3), TicketChange.MOVED, ticket="T-1", queue="OPS"),
        ticket(2, asking=one, queue="OPS"),
        ticket(3, asking=one, queue="OPS"),
        ticket(40, asking=one),
    ]
    seen = scene(facts, plat, ops)
    assert [asked(seen, MONTH, queue) for queue in ("PLAT", "OPS", "")] == [
        ({"team-pay": 1}, 1),
        ({"team-pay": 2}, 2),
        ({"team-pay": 3}, 3),
    ]
    assert asked(scene(facts, plat, ops, fresh=False), MONTH) == ({}, 0)


def test_a_team_that_asks_uses_the_platform() -> None:
    """Whether or not it delivered anything."""
    assert users(scene([ticket(1, asking="desk:organizations/1"), ticket(2)]), MONTH) == frozenset({"team-pay"})
