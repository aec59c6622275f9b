"""Answers and invitations for tests of surveys, and the scene that they are seen in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.history import NOBODY, MemoryHistory, owner, source

from platform_meter.model.definitions import Definitions, Persona, Survey, Team
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Scene

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
TEAMS = (
    Team(kind="Team", id="team-pay", org="payments", persona="app-developer"),
    Team(kind="Team", id="team-shop", org="retail", persona="app-developer"),
    Team(kind="Team", id="team-data", org="retail", persona="data-engineer"),
)
ABOUT = Ref(system="surveys", kind="respondents", id="")
Told = tuple[str, Owner, Fact]


def survey(**more: Any) -> Survey:
    """A quarterly NPS out of a CSV."""
    said: dict[str, Any] = {
        "kind": "Survey",
        "id": "nps",
        "source": {"type": "csv", "path": "nps.csv"},
        "questions": [{"id": "nps", "type": "nps"}],
    }
    return Survey.model_validate(said | more)


def answer(person: str, at: datetime = NOW, *, team: str = "", key: str = "", **more: Any) -> Told:
    """One person's answers; `answers` by field, a number alone is that of `nps`."""
    told = more.pop("answers", 9)
    answers: Mapping[str, float] = told if isinstance(told, Mapping) else {"nps": float(told)}
    fact = SurveyResponse(
        key=key or f"{person}/{at.isoformat()}",
        at=at - timedelta(minutes=1),
        about=Ref(system="surveys", kind="respondents", id=team),
        survey=more.pop("survey", "nps"),
        respondent=person,
        answers=tuple(sorted(answers.items())),
        **more,
    )
    return "survey-nps", owner(team) if team else NOBODY, fact


def answers(
    values: Iterable[float | Mapping[str, float]], at: datetime = NOW, *, team: str = "", start: int = 0, **more: Any
) -> list[Told]:
    """One answer each of as many people."""
    return [answer(f"{team or 'p'}{n}", at, team=team, answers=value, **more) for n, value in enumerate(values, start)]


def asked(person: str, at: datetime = NOW, *, team: str = "", subject: str = "") -> Told:
    """One person who was invited."""
    fact = Invitation(
        key=f"asked/{person}/{subject}/{at.isoformat()}",
        at=at - timedelta(hours=1),
        about=Ref(system="surveys", kind="respondents", id=team),
        survey="nps",
        respondent=person,
        subject=subject,
    )
    return "survey-nps", owner(team) if team else NOBODY, fact


def member(person: str, *teams: str) -> Told:
    """Somebody whom a directory has in these teams."""
    return (
        "survey-nps",
        NOBODY,
        Membership(about=Ref(system="ldap", kind="person", id=person), people=(person,), teams=teams),
    )


def scene(
    told: Sequence[Told],
    *surveys: Survey,
    now: datetime = NOW,
    sources: Sequence[SourceState] = (),
    zone: str = "UTC",
    teams: Sequence[Team] = TEAMS,
    before: datetime | None = None,
) -> Scene:
    """What measures see of them."""
    return Scene(
        history=MemoryHistory(told, sources=sources or [source("survey-nps", "surveys", watermark=now)], before=before),
        definitions=Definitions(
            surveys=surveys or (survey(),), teams=tuple(teams), personas=(Persona(kind="Persona", id="app-developer"),)
        ),
        now=now,
        zone=ZoneInfo(zone),
    )
