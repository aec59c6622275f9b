"""Who went the journey without asking for help, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.journeys import DAY, NOW, READ, Told, journey, told
from tests.support.tickets import created, ticketing

from platform_meter.measures.journeys import declared
from platform_meter.measures.journeys.gauges import compute
from platform_meter.model.catalogue.adoption import ADOPTION_SELF_SERVICE
from platform_meter.model.definitions import Capability, Definitions, Service, Team
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.tickets import Role, TicketEvent
from platform_meter.model.facts.use import Usage
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Ratio
from platform_meter.testing.measures import adds_up

HELP = {"queue": "help", "category": "gateway"}
FOUR = [fact for team in "abcd" for fact in told(team, view=40, create=39, call=(38, 250))]
"""Four teams that went all the way in the same two days, 40 days ago."""


def ticket(back: float, who: str, *, category: str = "gateway", **more: Any) -> Told:
    """One that somebody asked with, so many days ago."""
    said = {"key": f"{who}/{back}", "ticket": f"{who}/{back}", "category": category, "requester": who, **more}
    return ("jira", owner("desk"), created(NOW - back * DAY, **said))


def member(person: str, team: str) -> Told:
    about = Ref(system="ldap", kind="person", id=person)
    return ("ldap", owner("directory"), Membership(about=about, people=(person,), teams=(team,)))


def scene(
    facts: Sequence[Told], capability: Capability | None = None, teams: Sequence[str] = "abcd", **jira: Any
) -> Scene:
    people = [member(f"{team}-person", team) for team in "abcd"]
    desk = replace(source("jira", watermark=NOW, read_from=READ), **jira)
    portal = source("portal", watermark=NOW, read_from=READ)
    gives = {name: frozenset[type[Fact]]({kind}) for name, kind in (("jira", TicketEvent), ("portal", Usage))}
    history = MemoryHistory(
        [*FOUR, *people, *facts], sources=[desk, portal, source("ldap", watermark=NOW)], gives=gives
    )
    definitions = Definitions(
        capabilities=(capability or journey(tickets=HELP),),
        ticketing=(ticketing(),),
        teams=tuple(Team(kind="Team", id=team) for team in teams),
        services=tuple(Service(kind="Service", id=f"{team}-api", team=team) for team in teams),
    )
    return Scene(history=history, definitions=definitions, now=NOW)


def share(at: Scene) -> Ratio | None:
    """The sample, to which what stands behind it adds up."""
    (measure,) = declared(at.definitions)
    assert isinstance(measure, Gauging)
    adds_up(measure, at)
    found = [s.value for s in compute(at) if s.metric is ADOPTION_SELF_SERVICE]
    ratios = [value for value in found if isinstance(value, Ratio)]
    assert len(ratios) == len(found) <= 1
    return ratios[0] if ratios else None


def test_a_ticket_on_the_way_is_help() -> None:
    """Of four that arrived one asked between entering and its last stage, and one at the very moment of that."""
    at = scene([ticket(39.5, "a-person"), ticket(38, "b-person")])
    assert share(at) == Ratio(part=2, whole=4)
    assert share(scene([])) == Ratio(part=4, whole=4)


@pytest.mark.parametrize(
    "other",
    [
        ticket(40.1, "a-person"),
        ticket(37.9, "a-person"),
        ticket(39.5, "a-person", category="ci"),
        ticket(39.5, "a-person", queue="OPS"),
        ticket(39.5, "a-person", key="bot"),
    ],
    ids=["before", "after", "category", "queue", "bot"],
)
def test_other_tickets_are_none(other: Told) -> None:
    """Before entering and after the last stage, of another category or queue, and what a bot opened."""
    name, whose, fact = other
    assert isinstance(fact, TicketEvent)
    bot = replace(fact, role=Role.BOT) if fact.key == "bot" else fact
    assert share(scene([(name, whose, bot)])) == Ratio(part=4, whole=4)


def test_of_whom_nobody_knows_whether_they_asked_there_may_be_a_tenth() -> None:
    """A ticket of somebody in no team may be of any who was on the way then and asked for nothing else."""
    stranger = ticket(29.5, "stranger")
    many = [fact for n in range(9) for fact in told(f"t{n}", view=50, create=49, call=(48, 250))]
    one = told("late", view=30, create=29, call=(28, 250))
    only = journey(tickets=HELP, eligible={"any": [{"team": {"id": ["t*", "late"]}}]})
    assert share(scene([*many, *one, stranger], only, teams=[*(f"t{n}" for n in range(9)), "late"])) == Ratio(
        part=9, whole=9
    )
    assert share(scene([*many[3:], *one, stranger], only, teams=[*(f"t{n}" for n in range(1, 9)), "late"])) is None
    asked = ticket(29.5, "late-person")
    known = scene(
        [*many, *one, stranger, asked, member("late-person", "late")],
        only,
        teams=[*(f"t{n}" for n in range(9)), "late"],
    )
    assert share(known) == Ratio(part=9, whole=10)


@pytest.mark.parametrize(
    "states", [{"fresh": False}, {"watermark": None}, {"read_from": None}], ids=["stale", "never", "unread"]
)
def test_without_a_fresh_source_of_tickets_nothing_is_said(states: Mapping[str, Any]) -> None:
    """The funnel stays; so it is where no category is declared."""
    at = scene([], **states)
    assert share(at) is None
    assert len(list(compute(at))) > 5
    assert share(scene([], journey())) is None


def test_tickets_must_be_known_for_the_whole_way() -> None:
    """Read from the middle of a journey on, or not up to its end, they tell nothing of it."""
    assert share(scene([], read_from=NOW - 39 * DAY)) == Ratio(part=0, whole=0)
    assert share(scene([], watermark=NOW - 39 * DAY)) == Ratio(part=0, whole=0)


def test_services_ask_through_their_team_and_people_for_themselves() -> None:
    """The same ticket is of the service of that team, and of nobody else than who asked."""
    asked = ticket(39.5, "a-person")
    assert share(scene([asked], journey(unit="service", tickets=HELP))) == Ratio(part=3, whole=4)
    people = [
        (name, whose, replace(fact, key=f"p/{fact.key}", actor=f"{whose.team}-person"))
        for name, whose, fact in FOUR
        if isinstance(fact, Usage)
    ]
    assert share(scene([*people, asked], journey(unit="person", tickets=HELP))) == Ratio(part=3, whole=4)
    others = ticket(39.5, "a-colleague")
    assert share(scene([*people, others], journey(unit="person", tickets=HELP))) == Ratio(part=4, whole=4)
