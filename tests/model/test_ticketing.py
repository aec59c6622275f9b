"""A queue as people declare it: hours, days, goals, and what does not fit together."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.tickets import OFFICE, ticketing

from platform_meter.model.scalars import PlacedError
from platform_meter.model.ticketing import (
    WEEKDAYS,
    AnswerStatus,
    Calendar,
    CategoryFrom,
    Goal,
    Hours,
    Sla,
    StatusMap,
    Ticketing,
    other_priorities,
    parse_day_key,
    parse_goal,
    parse_hours,
)


def refused(error: ValidationError) -> tuple[str, tuple[str | int, ...]]:
    """The text of the one thing that is wrong, and the part it is said at."""
    (found,) = error.errors()
    cause = found["ctx"]["error"]
    return str(cause), cause.at if isinstance(cause, PlacedError) else ()


def test_hours_are_a_stretch_of_wall_time() -> None:
    """24:00 is the end of the day, which no `time` can hold."""
    assert parse_hours("09:00-17:30") == Hours(start=time(9), end=time(17, 30))
    assert parse_hours("00:00-24:00") == Hours(start=time(0), end=None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9-17", "'9-17' is not a stretch of hours; write it as 09:00-17:00"),
        ("09:00–17:00", "'09:00–17:00' is not a stretch of hours; write it as 09:00-17:00"),
        ("09:00-25:00", "'09:00-25:00' has an hour past 24:00 or a minute past 59; correct it"),
        ("09:00-24:30", "'09:00-24:30' has an hour past 24:00 or a minute past 59; correct it"),
        ("22:00-06:00", "'22:00-06:00' ends before it starts; split a stretch over midnight in two"),
        ("09:00-09:00", "'09:00-09:00' ends before it starts; split a stretch over midnight in two"),
    ],
)
def test_what_are_no_hours_is_quoted(text: str, said: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_hours(text)


@pytest.mark.parametrize("key", ["fri-mon", "monday", "mon-", "mon-fri-sun", "", "mo"])
def test_what_is_no_weekday_is_quoted(key: str) -> None:
    """Ranges run forward through the week."""
    with pytest.raises(ValueError, match=re.escape(f"'{key}' is no weekday or range of weekdays; write mon")):
        parse_day_key(key)


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_range_is_all_days_from_one_to_the_other(first: int, last: int) -> None:
    """Written out, each with the stretches of the range."""
    if first > last:
        first, last = last, first
    found = Calendar.model_validate({"days": {f"{WEEKDAYS[first]}-{WEEKDAYS[last].upper()}": ["09:00-17:00"]}})
    assert tuple(found.days) == WEEKDAYS[first : last + 1]


def test_stretches_of_a_day_are_in_order() -> None:
    """However they are written, and from whichever key they come; a key with nothing behind it is a closed day."""
    found = Calendar.model_validate(
        {"days": {"mon": ["13:00-17:00", "08:00-12:00"], "mon-tue": ["18:00-19:00"], "sun": None}}
    )
    assert [(h.start.hour, h.end and h.end.hour) for h in found.days["mon"]] == [(8, 12), (13, 17), (18, 19)]
    assert [(h.start.hour, h.end and h.end.hour) for h in found.days["tue"]] == [(18, 19)]
    assert found.days["sun"] == ()


@pytest.mark.parametrize(
    "days",
    [
        {"mon": ["09:00-12:00", "11:59-13:00"]},
        {"mon-fri": ["09:00-17:00"], "wed": ["16:00-18:00"]},
        {"mon": ["00:00-24:00", "23:00-23:30"]},
    ],
)
def test_an_hour_is_open_once(days: dict[str, list[str]]) -> None:
    """Overlapping stretches would count an hour twice; ones that touch are fine."""
    with pytest.raises(ValidationError) as raised:
        Calendar.model_validate({"days": days})
    text, at = refused(raised.value)
    assert re.fullmatch("two stretches of (mon|wed) overlap; write each open hour once", text)
    assert at == (list(days)[-1],)
    touching = Calendar.model_validate({"days": {"mon": ["09:00-12:00", "12:00-13:00"]}})
    assert len(touching.days["mon"]) == 2


@pytest.mark.parametrize(
    ("days", "even"),
    [
        ({"mon-fri": ["09:00-17:00"]}, True),
        ({"mon-fri": ["08:00-12:00", "13:00-17:00"], "sat": ["10:00-18:00"], "sun": None}, True),
        ({"mon-sun": ["00:00-24:00"]}, True),
        ({"mon-thu": ["09:00-17:00"], "fri": ["09:00-16:00"]}, False),
        ({"mon": None}, False),
    ],
)
def test_a_business_day_has_a_length_where_all_are_equally_long(days: dict[str, Any], even: bool) -> None:
    """Closed days do not count; without an open one there is no length."""
    assert Calendar.model_validate({"days": days}).even is even


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30m", Goal(seconds=1800)), ("8h", Goal(seconds=28_800)), ("5bd", Goal(days=5)), ("0.5bd", Goal(days=0.5))],
)
def test_a_goal_is_business_time_or_business_days(text: str, expected: Goal) -> None:
    """How long a business day is, the calendar says."""
    assert parse_goal(text) == expected
    assert parse_goal(expected) is expected


def test_what_is_no_goal_is_quoted() -> None:
    """With both ways to write one."""
    said = "'5 days' is not a goal; write business time such as 30m or 8h, or business days such as 5bd"
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_goal("5 days")
    with pytest.raises(
        ValueError, match=r"^empty; write business time such as 30m or 8h, or business days such as 5bd$"
    ):
        parse_goal(None)


@pytest.mark.parametrize(
    ("text", "days", "hours"),
    [("1d", "1bd", "24h"), ("2w", "14bd", "336h"), ("0.5d", "0.5bd", "12h"), ("1d12h", "1.5bd", "36h")],
)
def test_a_goal_in_days_could_mean_two_things(text: str, days: str, hours: str) -> None:
    """A day of 24 business hours is three working days of eight: it is written one way or the other."""
    said = (
        f"'{text}' could mean days of the calendar or days of 24 hours; "
        f"write {days} for business days, or {hours} for as many business hours"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        parse_goal(text)


def test_a_day_may_have_hours_of_its_own() -> None:
    """A half day and a working Saturday, their stretches in order; a business day stays as long as it is."""
    found = Calendar.model_validate(
        {**OFFICE, "exceptions": {"2026-12-24": ["11:00-13:00", "09:00-10:00"], "2026-12-19": ["09:00-17:00"]}}
    )
    assert [(h.start.hour, h.end and h.end.hour) for h in found.exceptions[date(2026, 12, 24)]] == [(9, 10), (11, 13)]
    assert found.even


@pytest.mark.parametrize(
    ("more", "text", "at"),
    [
        (
            {"exceptions": {"2026-12-24": ["09:00-12:00", "11:00-13:00"]}},
            "two stretches of 2026-12-24 overlap; write each open hour once",
            ("2026-12-24",),
        ),
        (
            {"holidays": ["2026-12-24"], "exceptions": {"2026-12-24": ["09:00-12:00"]}},
            "2026-12-24 is a holiday too, which is closed all day; keep one of the two",
            ("exceptions", "2026-12-24"),
        ),
    ],
    ids=["overlap", "holiday"],
)
def test_an_exception_says_one_thing(more: dict[str, Any], text: str, at: tuple[str, ...]) -> None:
    """As on weekdays, an hour is open once; and a day is closed or has hours."""
    with pytest.raises(ValidationError) as raised:
        Calendar.model_validate({**OFFICE, **more})
    assert refused(raised.value) == (text, at)


def test_a_priority_is_counted_by_its_own_calendar_before_the_slas_and_that_before_the_queues() -> None:
    """Each where there is one."""
    queue, sla, urgent = (Calendar.model_validate({"zone": zone, "days": {"mon": None}}) for zone in ZONES)
    own = Sla.model_validate(
        {"id": "resolution", "goal": {"P1": "1h", "default": "8h"}, "calendar": sla, "calendars": {"P1": urgent}}
    )
    plain = Sla.model_validate({"id": "resolution", "goal": {"default": "8h"}})
    assert (own.on("P1", queue), own.on("P2", queue), plain.on("P1", queue)) == (urgent, sla, queue)
    assert (own.of("P1"), own.of("P2")) == (Goal(seconds=3600), Goal(seconds=28_800))


def test_the_rest_has_no_calendar_among_those_of_priorities() -> None:
    """It is the SLA's."""
    with pytest.raises(ValidationError) as raised:
        Sla.model_validate({"id": "resolution", "goal": {"default": "8h"}, "calendars": {"default": OFFICE}})
    assert refused(raised.value) == (
        "the calendar of all other priorities is calendar; write it there",
        ("calendars", "default"),
    )


def test_a_queue_stands() -> None:
    """What is not said has its default: resolutions that make a ticket no valid one, clocks of our own."""
    found = ticketing(OFFICE)
    assert found.invalid == ("Duplicate", "Spam", "Merged")
    assert [(sla.id, sla.clock, sla.reopen) for sla in found.slas] == [
        ("first_response", "computed", "continue"),
        ("resolution", "computed", "continue"),
    ]


ZONES = ("UTC", "Europe/Berlin", "Asia/Tokyo")
UNEVEN = {"zone": "UTC", "days": {"mon-thu": ["09:00-17:00"], "fri": ["09:00-16:00"]}}


@pytest.mark.parametrize(
    ("changed", "text", "at"),
    [
        (
            {"calendar": UNEVEN, "slas": [{"id": "resolution", "goal": {"default": "8h", "P1": "2bd"}}]},
            "a business day (bd) has no one length here, since open days differ; write hours, such as 40h",
            ("slas", 0, "goal", "P1"),
        ),
        (
            {"slas": [{"id": "resolution", "goal": {"default": "2bd"}, "calendars": {"P1": UNEVEN}}]},
            "a business day (bd) has no one length here, since open days differ; write hours, such as 40h",
            ("slas", 0, "goal", "default"),
        ),
        (
            {"slas": [{"id": "resolution", "goal": {"default": "8h"}}] * 2},
            "SLA 'resolution' stands twice; keep one",
            ("slas", 1, "id"),
        ),
    ],
    ids=["uneven days", "uneven days of a priority", "twice"],
)
def test_what_does_not_fit_together_is_said_at_its_place(
    changed: dict[str, Any], text: str, at: tuple[str | int, ...]
) -> None:
    """A goal in business days needs days of one length; each SLA stands once."""
    with pytest.raises(ValidationError) as raised:
        ticketing(**changed)
    assert refused(raised.value) == (text, at)


@pytest.mark.parametrize(
    ("sla", "text", "at"),
    [
        (
            {"id": "quick"},
            (
                "'quick' does not say when its clock stops; write measures: and one of: "
                "first_response, resolution, acknowledgement, assignment"
            ),
            ("id",),
        ),
        (
            {"id": "resolution", "measures": "assignment"},
            "SLA 'resolution' measures assignment; call it otherwise, or leave measures out",
            ("measures",),
        ),
        (
            {"id": "taken", "measures": "assignment", "answers": ["comment"]},
            "answers are of a first_response, and this SLA measures assignment; leave them out",
            ("answers",),
        ),
    ],
    ids=["no meaning", "two meanings", "answers"],
)
def test_an_sla_has_one_meaning(sla: dict[str, Any], text: str, at: tuple[str, ...]) -> None:
    """Its id or `measures` says when its clock stops; what an answer is, is asked of first responses alone."""
    with pytest.raises(ValidationError) as raised:
        Sla.model_validate({"goal": {"default": "8h"}, **sla})
    assert refused(raised.value) == (text, at)


def test_an_sla_is_called_as_people_like() -> None:
    """Four words mean themselves; answers are words, and statuses."""
    found = ticketing(
        slas=[
            {"id": "assignment", "goal": {"default": "8h"}},
            {"id": "on call", "measures": "acknowledgement", "by": "severity", "goal": {"SEV1": "5m", "default": "1h"}},
            {"id": "resolution", "measures": "resolution", "goal": {"P1": "1h", "default": "8h"}},
        ],
        answers=["acknowledged", {"status": ["In Progress"]}],
    )
    assert [(sla.id, sla.measured) for sla in found.slas] == [
        ("assignment", "assignment"),
        ("on call", "acknowledgement"),
        ("resolution", "resolution"),
    ]
    assert found.answers == ("acknowledged", AnswerStatus(status=("In Progress",)))
    assert [*found.priorities, *found.severities] == ["P1", "SEV1"]


def test_a_status_stands_in_one_list() -> None:
    """The clock can't run and stand in the same status; twice in one list does no harm."""
    assert StatusMap.model_validate({"running": ["Open", "Open"], "done": ["Closed"]}).running == ("Open", "Open")
    with pytest.raises(ValidationError) as raised:
        StatusMap.model_validate({"running": ["Open"], "paused": ["Waiting"], "done": ["Closed", "Open"]})
    assert refused(raised.value) == ("status 'Open' is running and done; keep it in one of the two", ("done", 1))


def test_every_priority_has_a_goal() -> None:
    """Priorities come from the tool and can be new tomorrow."""
    with pytest.raises(ValidationError) as raised:
        Sla.model_validate({"id": "resolution", "goal": {"P1": "1h"}})
    assert refused(raised.value) == (
        "goal needs a default for priorities it does not name; write default: 8h",
        ("goal",),
    )


def test_categories_are_bounded() -> None:
    """Components and types are the tool's lists; labels are anybody's, so they are chosen from a list."""
    assert CategoryFrom.model_validate({"from": "component"}).among == ()
    assert CategoryFrom.model_validate({"from": "label", "among": ["bug"]}).among == ("bug",)
    with pytest.raises(ValidationError) as raised:
        CategoryFrom.model_validate({"from": "label"})
    assert refused(raised.value)[1] == ("from",)
    with pytest.raises(ValidationError) as raised:
        CategoryFrom.model_validate({"from": "component", "among": ["bug"]})
    assert refused(raised.value) == (
        "only labels are chosen from a list; remove among, or write from: label",
        ("among",),
    )


def test_the_kind_is_the_models_own() -> None:
    """A document of another kind is no queue."""
    with pytest.raises(ValidationError, match="Input should be 'Ticketing'"):
        Ticketing.model_validate({**ticketing().model_dump(by_alias=True), "kind": "Survey"})


def test_priorities_of_a_queue_are_held_against_those_of_its_tool() -> None:
    """One that the tool has not is a mistake; one without a goal takes the default; a tool may tell none."""
    queue = ticketing()
    assert list(other_priorities([queue], ["High", "Low"])) == [
        (
            "Ticketing 'help' names P1, which the tool has not; it has High, Low; "
            "write these, or translate them under priorities of the source"
        )
    ]
    assert list(other_priorities([queue], ["P1", "P3"])) == [
        "Ticketing 'help' names no goal for P3: the default goal applies"
    ]
    assert list(other_priorities([queue], ["P1"])) == []
    assert list(other_priorities([queue], [])) == []
    plain = ticketing(slas=[{"id": "resolution", "goal": {"default": "8h"}}])
    assert list(other_priorities([plain], ["P1"])) == []
