"""A queue of requests as people declare it: business hours, statuses, SLAs (domain sections 9 and 14)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from platform_meter.model.scalars import Definition, PlacedError, Zone, parse_duration, unfit


class Hours(Definition):
    """One stretch of open wall time; `end` at or before `start` is refused; 00:00-24:00 is the whole day."""

    start: time
    end: time | None
    """None means 24:00."""


def parse_hours(value: Any) -> Any:
    """`09:00-17:00` to Hours.

    Raises:
        ValueError: anything else, or an end at or before the start.
    """
    if isinstance(value, Hours):
        return value
    match = re.fullmatch(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", str(value))
    if not match:
        raise unfit(value, "not a stretch of hours", "write it as 09:00-17:00")
    h1, m1, h2, m2 = (int(g) for g in match.groups())
    midnight = (h2, m2) == (24, 0)
    try:
        start, end = time(h1, m1), None if midnight else time(h2, m2)
    except ValueError:
        raise ValueError(f"'{value}' has an hour past 24:00 or a minute past 59; correct it") from None
    if end is not None and end <= start:
        raise ValueError(f"'{value}' ends before it starts; split a stretch over midnight in two")
    return Hours(start=start, end=end)


HoursText = Annotated[Hours, BeforeValidator(parse_hours)]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parse_day_key(key: str) -> str:
    """A weekday or a range of them: `mon`, `tue-thu`.

    Raises:
        ValueError: anything else.
    """
    first, dash, last = key.lower().partition("-")
    last = last if dash else first
    if first not in WEEKDAYS or last not in WEEKDAYS or WEEKDAYS.index(first) > WEEKDAYS.index(last):
        raise ValueError(f"'{key}' is no weekday or range of weekdays; write mon, tue-thu or mon-fri")
    return key


def parse_days(value: Mapping[str, tuple[Hours, ...]]) -> dict[str, tuple[Hours, ...]]:
    """Ranges of weekdays written out, the stretches of each day in order.

    Raises:
        PlacedError: two stretches of one day overlap.
    """
    out: dict[str, tuple[Hours, ...]] = {}
    for key, stretches in value.items():
        first, _, last = key.lower().partition("-")
        for day in WEEKDAYS[WEEKDAYS.index(first) : WEEKDAYS.index(last or first) + 1]:
            out[day] = tuple(sorted((*out.get(day, ()), *stretches), key=lambda h: h.start))
            _apart(key, day, out[day])
    return out


def parse_exceptions(value: Mapping[date, tuple[Hours, ...]]) -> dict[date, tuple[Hours, ...]]:
    """The stretches of each day in order.

    Raises:
        PlacedError: two stretches of one day overlap.
    """
    out = {day: tuple(sorted(stretches, key=lambda h: h.start)) for day, stretches in value.items()}
    for day, stretches in out.items():
        _apart(str(day), str(day), stretches)
    return out


def _apart(key: str, day: str, stretches: tuple[Hours, ...]) -> None:
    for one, other in pairwise(stretches):
        if one.end is None or other.start < one.end:
            raise PlacedError(f"two stretches of {day} overlap; write each open hour once", key)


def none_is_empty(value: Any) -> Any:
    """`sun:` with nothing behind it is a closed day."""
    return () if value is None else value


Day = Annotated[str, AfterValidator(parse_day_key)]
Stretches = Annotated[tuple[HoursText, ...], BeforeValidator(none_is_empty)]


class Calendar(Definition):
    """Business hours by weekday in one zone; holidays are closed all day."""

    zone: Zone = "UTC"
    days: Annotated[dict[Day, Stretches], AfterValidator(parse_days)] = Field(examples=["{mon-fri: ['09:00-17:00']}"])
    holidays: frozenset[date] = frozenset()
    exceptions: Annotated[dict[date, Stretches], AfterValidator(parse_exceptions)] = Field(
        default_factory=dict, examples=["{2026-12-24: ['09:00-13:00']}"]
    )
    """Days with hours of their own, whatever their weekday: half days, and working days at a weekend."""

    @model_validator(mode="after")
    def _either(self) -> Calendar:
        for day in sorted(self.holidays & self.exceptions.keys()):
            raise PlacedError(
                f"{day} is a holiday too, which is closed all day; keep one of the two", "exceptions", str(day)
            )
        return self

    @property
    def even(self) -> bool:
        """Whether all open weekdays are equally long, so that a business day is a length of time. Exceptions are none."""
        lengths = {sum(_minutes(h) for h in stretches) for stretches in self.days.values() if stretches}
        return len(lengths) == 1


def _minutes(hours: Hours) -> int:
    end = hours.end or time(0)
    return end.hour * 60 + end.minute + (1440 if hours.end is None else 0) - hours.start.hour * 60 - hours.start.minute


class StatusMap(Definition):
    """Which statuses run the clock. A status in no list counts as running and is reported."""

    running: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    done: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> StatusMap:
        stands: dict[str, str] = {}
        for key in ("running", "paused", "done"):
            for i, status in enumerate(getattr(self, key)):
                if stands.setdefault(status, key) != key:
                    raise PlacedError(
                        f"status '{status}' is {stands[status]} and {key}; keep it in one of the two", key, i
                    )
        return self


class CategoryFrom(Definition):
    """What the `category` label says of a ticket."""

    from_: Literal["component", "label", "issue_type", "request_type"] = Field(alias="from")
    among: tuple[str, ...] = ()
    """The labels that are categories: anybody can make a label, so all of them would be no bound."""

    @model_validator(mode="after")
    def _bounded(self) -> CategoryFrom:
        if self.from_ == "label" and not self.among:
            raise PlacedError(
                "anybody can add a label, so categories need a list of them; write among: [bug, access]", "from"
            )
        if self.from_ != "label" and self.among:
            raise PlacedError("only labels are chosen from a list; remove among, or write from: label", "among")
        return self


class TicketSource(Definition):
    type: str = Field(examples=["jira"])
    instance: str | None = None
    """Config key, where several sources of the type are configured."""
    select: str = ""
    """Which of the tool's queues; `measures.support.selects.queue_keys` reads it."""


GOAL = re.compile(r"(\d+(?:\.\d+)?)bd")
DEFAULT = "default"
"""Stands for every priority that the goals do not name."""


class Goal(Definition):
    """Business seconds, or business days of the calendar."""

    seconds: float | None = None
    days: float | None = None


def parse_goal(value: Any) -> Any:
    """`30m`, `8h` (business time) or `5bd` (business days of this calendar).

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, Goal):
        return value
    if match := GOAL.fullmatch(str(value)):
        return Goal(days=float(match.group(1)))
    try:
        hours = parse_duration(value).total_seconds() / 3600
    except ValueError:
        raise unfit(
            value, "not a goal", "write business time such as 30m or 8h, or business days such as 5bd"
        ) from None
    if set(str(value)) & {"d", "w"}:
        raise ValueError(
            f"'{value}' could mean days of the calendar or days of 24 hours; write {hours / 24:g}bd for business days, "
            f"or {hours:g}h for as many business hours"
        )
    return Goal(seconds=hours * 3600)


GoalText = Annotated[Goal, BeforeValidator(parse_goal)]


Measured = Literal["first_response", "resolution", "acknowledgement", "assignment"]
"""What ends a clock that the creation of a ticket starts."""

USUAL_CLOCKS: Mapping[Measured, tuple[str, ...]] = {
    "first_response": ("Time to first response", "reply_time", "first_reply_time"),
    "resolution": ("Time to resolution", "resolution", "resolution_time", "full_resolution_time"),
    "acknowledgement": ("Time to acknowledge", "acknowledgement"),
    "assignment": ("Time to assign", "assignment"),
}
"""What tools call their own clocks, where nobody called them otherwise: Jira Service Management, then Zendesk."""


class AnswerStatus(Definition):
    status: tuple[str, ...] = Field(min_length=1, examples=["[In Progress]"])
    """A ticket that comes into one of these was answered."""


Answers = tuple[Literal["comment", "acknowledged", "assigned"] | AnswerStatus, ...]
"""What a first answer is: the first of these that happens."""


class Sla(Definition):
    id: str = Field(min_length=1, examples=["first_response"])
    """The `sla` label."""
    measures: Measured | None = None
    """Without it the id says what it is."""
    answers: Answers = ()
    """Of a first response; without it the queue's."""
    goal: dict[str, GoalText] = Field(examples=["{P1: 1h, default: 8h}"])
    """By priority, or severity; `default` for the rest."""
    by: Literal["priority", "severity"] = "priority"
    """Which word of a ticket its goals and calendars name: then it is what the `priority` label of this SLA says."""
    calendar: Calendar | None = None
    """Where this SLA has one of its own."""
    calendars: dict[str, Calendar] = Field(default_factory=dict)
    """By priority, before `calendar`: the most urgent one may be promised around the clock."""
    per_queue: bool = False
    """Only the time that a ticket spends in this queue counts."""
    clock: Literal["source", "computed"] = "computed"
    clock_name: str = ""
    """What the tool calls its own clock; without it, its usual words for what is measured."""
    reopen: Literal["continue", "restart", "first_only"] = "continue"

    @property
    def measured(self) -> Measured:
        """What ends its clock."""
        if self.measures is not None:
            return self.measures
        implied: Measured = next(word for word in get_args(Measured) if word == self.id)
        return implied

    @model_validator(mode="after")
    def _one_meaning(self) -> Sla:
        words: tuple[str, ...] = get_args(Measured)
        if self.measures is None and self.id not in words:
            raise PlacedError(
                f"'{self.id}' does not say when its clock stops; write measures: and one of: {', '.join(words)}", "id"
            )
        if self.measures is not None and self.id in words and self.id != self.measures:
            raise PlacedError(
                f"SLA '{self.id}' measures {self.measures}; call it otherwise, or leave measures out", "measures"
            )
        if self.answers and self.measured != "first_response":
            raise PlacedError(
                f"answers are of a first_response, and this SLA measures {self.measured}; leave them out", "answers"
            )
        return self

    @model_validator(mode="after")
    def _default(self) -> Sla:
        if "default" not in self.goal:
            raise PlacedError("goal needs a default for priorities it does not name; write default: 8h", "goal")
        if DEFAULT in self.calendars:
            raise PlacedError("the calendar of all other priorities is calendar; write it there", "calendars", DEFAULT)
        return self

    def of(self, priority: str) -> Goal:
        """What is promised for a priority."""
        return self.goal.get(priority, self.goal[DEFAULT])

    def on(self, priority: str, usual: Calendar) -> Calendar:
        """What a priority's time is counted by; `usual` is the queue's."""
        return self.calendars.get(priority) or self.calendar or usual


INVALID = ("Duplicate", "Spam", "Merged")
"""Resolutions of what was no ticket of its own, in every tool that uses these words."""


class Ticketing(Definition):
    kind: Literal["Ticketing"]
    id: str = Field(examples=["jira-platform"])
    """The `queue` label."""
    title: str = ""
    source: TicketSource
    calendar: Calendar
    status: StatusMap = Field(examples=["{running: [Open], paused: [Waiting], done: [Closed]}"])
    category: CategoryFrom | None = None
    answers: Answers = ("comment",)
    """What a first answer is."""
    slas: tuple[Sla, ...] = ()
    invalid: tuple[str, ...] = INVALID
    """Resolutions that make a ticket no valid one."""

    @model_validator(mode="after")
    def _consistent(self) -> Ticketing:
        for i, sla in enumerate(self.slas):
            for priority in {**sla.goal, **sla.calendars}:
                if sla.of(priority).days is not None and not sla.on(priority, self.calendar).even:
                    raise PlacedError(
                        "a business day (bd) has no one length here, since open days differ; write hours, such as 40h",
                        "slas", i, "goal", priority if priority in sla.goal else DEFAULT,
                    )  # fmt: skip
            if sla.id in [s.id for s in self.slas[:i]]:
                raise PlacedError(f"SLA '{sla.id}' stands twice; keep one", "slas", i, "id")
        return self

    @property
    def priorities(self) -> frozenset[str]:
        """All that its goals and calendars name."""
        return self._named("priority")

    @property
    def severities(self) -> frozenset[str]:
        """All that goals and calendars by severity name."""
        return self._named("severity")

    def _named(self, by: str) -> frozenset[str]:
        slas = [sla for sla in self.slas if sla.by == by]
        return frozenset(name for sla in slas for name in (*sla.goal, *sla.calendars)) - {DEFAULT}


def other_priorities(queues: Iterable[Ticketing], had: Collection[str]) -> Iterator[str]:
    """Where a queue and its tool name other priorities, for people; nothing of a tool that tells none (`had`)."""
    for queue in queues if had else ():
        if missing := sorted(queue.priorities - {*had}):
            yield (
                f"Ticketing '{queue.id}' names {', '.join(missing)}, which the tool has not; it has "
                f"{', '.join(sorted(had))}; write these, or translate them under priorities of the source"
            )
        elif queue.priorities and (rest := sorted({*had} - queue.priorities)):
            yield f"Ticketing '{queue.id}' names no goal for {', '.join(rest)}: the default goal applies"
