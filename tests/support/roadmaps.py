"""Roadmap items and scenes that hold them, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures.roadmap.snapshots import STATES
from platform_meter.model.definitions import Definitions, Persona, RoadmapSource
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.roadmap import KIND, Feedback, ItemStatus, Planned, RoadmapItem
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.history import Owner, SourceState, UnitState
from platform_meter.model.measure import Scene

PLAN = RoadmapSource.model_validate(
    {
        "kind": "RoadmapSource",
        "id": "plan",
        "source": {"type": "jira", "project": "ROAD"},
        "period_field": "Quarter",
        "feedback": {"label": "feedback:*"},
    }
)
DEVELOPER = Persona.model_validate(
    {
        "kind": "Persona",
        "id": "developer",
        "pain_points": [{"id": "slow-ci", "match": {"ticket_label": ["ci-slow"], "feedback_theme": ["build*"]}}],
    }
)
GIVES: dict[str, frozenset[type[Fact]]] = {
    "jira": frozenset({RoadmapItem, TicketEvent}),
    "documents": frozenset({Feedback}),
    "surveys": frozenset({SurveyResponse}),
}


def day(text: str, hour: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).replace(hour=hour)


def item(name: str, period: str = "", *, made: str = "2026-01-05", since: str = "", **more: Any) -> RoadmapItem:
    """Made in January and planned for its period ever since, unless told otherwise; `ended` as a text makes it done."""
    ended = more.pop("ended", None)
    if ended is not None:
        more = {"status": ItemStatus.DONE, "ended": day(ended, 9), **more}
    planned = more.pop("periods", (Planned(day(since or made), period),) if period else ())
    return RoadmapItem(
        about=Ref(system="jira", kind=KIND, id=name),
        since=day(made),
        roadmap="plan",
        name=name,
        period=period,
        periods=planned,
        **more,
    )


def read(watermark: datetime, *, since: datetime | None = None, **more: Any) -> SourceState:
    """The Jira whose items these are, read for the first time just now, so that its items tell their past."""
    return source("jira", watermark=watermark, since=since or watermark, **more)


def scene(
    now: datetime,
    items: Iterable[RoadmapItem],
    *,
    facts: Iterable[tuple[str, Fact]] = (),
    answers: Iterable[tuple[str, Owner, Fact]] = (),
    sources: Sequence[SourceState] = (),
    zone: str = "UTC",
    plans: tuple[RoadmapSource, ...] = (PLAN,),
    personas: tuple[Persona, ...] = (DEVELOPER,),
    taken: Sequence[UnitState] = (),
    **more: Any,
) -> Scene:
    """These items, and facts by source, as they stand; each Jira and documents source read up to now unless told otherwise."""
    told: list[tuple[str, Any, Fact]] = [("jira", NOBODY, one) for one in items]
    told += [*((name, NOBODY, fact) for name, fact in facts), *answers]
    known = sources or (read(now), source("documents", watermark=now))
    history = MemoryHistory(told, sources=known, gives=GIVES, taken=taken, zone=zone, **more)
    definitions = Definitions(roadmaps=plans, personas=personas)
    return Scene(history=history, definitions=definitions, now=now, zone=ZoneInfo(zone))


def kept(seen: Scene) -> Scene:
    """The same with every daily state stored that is due."""
    history: Any = seen.history
    for one in STATES.take(seen):
        history.taken += one.states
    return seen
