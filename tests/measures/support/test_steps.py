"""Packed ticket events say all that clocks ask of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from tests.support.tickets import comment, created, hours, step

from platform_meter.measures.support.steps import keys, pack, unpack
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import Alias, Role, TicketChange, Today

NOTHING = Ref(system="", kind="", id="")
BORN = created(
    hours(0),
    ticket="1",
    name="PLAT-1",
    status="Open",
    priority="P1",
    resolution="Fixed",
    updated=hours(9),
    answers=("1/a", "1/b"),
    whole=False,
    today=Today("Closed", "Fixed"),
    severity="SEV1",
    into="7",
    requester="8f2c",
    asking="jira:groups/a",
    assigned=True,
)
LINKED = Ref(system="jira", kind="project", id="PLAT", labels=(("a", "b"),), links=("jira:OPS",))


def test_a_creation_comes_back_as_it_was() -> None:
    """With what it is about, its answers and how it stands today; but for what no clock asks for."""
    told = replace(
        BORN, about=LINKED, category="ci", issue_type="Bug", labels=("x",), aliases=(Alias("status", "a", "b"),)
    )
    assert unpack(pack([told]), 1, "1") == [replace(BORN, about=LINKED)]


def test_other_steps_come_back_without_queue_and_object() -> None:
    """Those of the creation count."""
    told = comment(hours(1), Role.BOT, ticket="1", public=False, status="Waiting", updated=hours(2))
    assert unpack(pack([told]), 1, "1") == [replace(told, queue="", about=NOTHING)]


def test_what_few_steps_say_comes_back() -> None:
    """Where it was moved to, how bad it is, what it was merged into, and that it was handed to another component, not which."""
    steps = [
        step(hours(1), TicketChange.MOVED, ticket="1", queue="OPS"),
        step(hours(2), TicketChange.PRIORITY, ticket="1", queue="", severity="SEV2"),
        step(hours(3), TicketChange.STATUS, ticket="1", queue="", status="Closed", into="9"),
        step(hours(4), TicketChange.ASSIGNED, ticket="1", queue="", category="", actor=""),
    ]
    told = replace(steps[-1], category="Gateway", actor="8f2c")
    assert unpack(pack([*steps[:-1], told]), 4, "1") == [replace(one, about=NOTHING) for one in steps]


def test_packed_ones_follow_packed_ones() -> None:
    """Many in a row, in the order in which they were packed."""
    many = [comment(hours(n), ticket="1", key=f"1/{n}") for n in range(70_000)]
    packed = pack([BORN]) + pack(many)
    assert keys(packed, 70_001) == [BORN.key, *(event.key for event in many)]
    assert unpack(packed, 70_001, "1")[-1].at == many[-1].at
    assert unpack(b"", 0, "1") == []


def test_a_moment_is_the_same_moment() -> None:
    """To the microsecond, in UTC."""
    at = datetime(2026, 3, 1, 1, 2, 3, 456_789, timezone(timedelta(hours=2)))
    (found,) = unpack(pack([comment(at, ticket="1")]), 1, "1")
    assert (found.at, found.at.tzinfo) == (at, UTC)
