"""What the company's developers say when they are asked: two waves of one survey, the second after CI became faster."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.demo.company.days import ZONE, office
from platform_meter.demo.company.layout import Company
from platform_meter.model.months import around

ASKED = 5
"""Of each team, at most."""
SUS = tuple(f"s{n}" for n in range(1, 11))
_ANSWERS = 0.55
"""Share of those invited who answer."""
_MOODS = (6.9, 8.2)
"""Mean likelihood to recommend, by wave."""
_PERSONAS: Mapping[str, float] = {"data-engineer": -1.4, "platform-engineer": 0.8}
"""How much more or less some like it."""
_TWICE = 20
"""Every so manieth thinks again, and answers once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One person's answers."""

    id: str
    at: datetime
    person: str
    team: str
    score: int
    """0 to 10."""
    ease: int
    """1 to 5."""
    usable: tuple[int, ...]
    """Ten answers of 1 to 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One person who was invited."""

    at: datetime
    person: str
    team: str


def invitations(company: Company) -> Sequence[Asked]:
    """All who were asked, wave by wave; new people of a team are asked too, so that the waves differ."""
    return [asked for wave in range(len(_MOODS)) for asked in _invited(company, wave)]


def ballots(company: Company) -> Sequence[Ballot]:
    """All that was answered, in order of time."""
    found = [ballot for wave, mood in enumerate(_MOODS) for ballot in _answered(company, wave, mood)]
    return sorted(found, key=lambda ballot: (ballot.at, ballot.id))


def _begins(company: Company, wave: int) -> datetime:
    """The first office hour of the wave's month: the last two months that are over."""
    start, _ = around(company.start, "month", ZONE, back=len(_MOODS) - wave)
    return office(start + timedelta(hours=10))


def _invited(company: Company, wave: int) -> Iterator[Asked]:
    at = _begins(company, wave)
    for team in company.teams:
        for person in team.people[:ASKED]:
            yield Asked(at=at, person=person, team=team.id)


def _answered(company: Company, wave: int, mood: float) -> Iterator[Ballot]:
    rng = random.Random(f"survey/{company.seed}/{wave}")
    for number, asked in enumerate(_invited(company, wave)):
        if rng.random() >= _ANSWERS:
            continue
        likes = mood + _PERSONAS.get(company.team[asked.team].persona, 0.0)
        times = 2 if number % _TWICE == 0 else 1
        at = asked.at
        for time in range(times):
            at += timedelta(minutes=rng.randrange(10, 6 * 24 * 60))
            score = round(min(10.0, max(0.0, rng.gauss(likes, 2.2))))
            yield Ballot(
                id=f"{wave}-{number}-{time}",
                at=at,
                person=asked.person,
                team=asked.team,
                score=score,
                ease=round(min(5.0, max(1.0, rng.gauss(likes / 2, 0.9)))),
                usable=tuple(_step(rng, likes, positive=n % 2 == 0) for n in range(len(SUS))),
            )


def _step(rng: random.Random, likes: float, *, positive: bool) -> int:
    good = min(5.0, max(1.0, rng.gauss(likes / 2, 0.8)))
    return round(good if positive else 6 - good)
