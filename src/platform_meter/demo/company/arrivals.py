"""When something comes in, and of what kind: day by day in the history, then slot by slot in live time.

Pure: each arrival has a seed of its own, by its place in the order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from platform_meter.demo.company import days
from platform_meter.demo.company.layout import BAD_RELEASES, BAD_WEEK, HISTORY_DAYS, Company
from platform_meter.demo.company.scenarios import Scenario, Trouble

Kind = Literal["run", "pull", "release", "ticket", "issue", "jenkins", "gitlab", "tekton", "sync", "incident", "rush"]
PER_DAY: dict[Kind, float] = {
    "run": 242,
    "pull": 96,
    "release": 14.5,
    "ticket": 24,
    "issue": 2,
    "jenkins": 45,
    "gitlab": 14,
    "tekton": 30,
    "sync": 60,
    "incident": 1.6,
}
"""Arrivals on a working day in the middle of the history, in a company of `USUAL_SERVICES`."""
USUAL_SERVICES = 300
GROWTH = (0.85, 1.15)
"""Factors on arrivals at the history's start and end."""
RUSHES = 8
"""Releases in a hurry on a working day of the bad release week."""
SLOT = timedelta(seconds=20)
"""In live time each slot has one run, and of the rest one every so many slots."""
EVERY: dict[Kind, int] = {
    "run": 1,
    "pull": 5,
    "release": 9,
    "ticket": 30,
    "issue": 90,
    "jenkins": 4,
    "gitlab": 6,
    "tekton": 6,
    "sync": 9,
    "incident": 150,
}
BAD_WEEK_TICKETS = 2.2
FLOOD = 10
"""Tickets come so much faster in a ticket flood."""


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    at: datetime
    seed: str
    kind: Kind


def arrivals(company: Company, scenario: Scenario) -> Iterator[Arrival]:
    """All of them in order of time, without end."""
    for day in range(HISTORY_DAYS + 1):
        yield from sorted(a for a in _day(company, day) if a.at < company.start)
    for slot in count():
        yield from _slot(company, scenario, slot)


def _day(company: Company, number: int) -> Iterator[Arrival]:
    day = company.epoch + timedelta(days=number)
    rng = random.Random(f"day/{company.seed}/{number}")
    low, high = GROWTH
    size = len(company.services) / USUAL_SERVICES
    busy = size * days.rhythm(day) * (low + (high - low) * number / HISTORY_DAYS)
    more: dict[Kind, float] = {"rush": RUSHES} if number in BAD_RELEASES else {}
    for kind, usual in (PER_DAY | more).items():
        hard = BAD_WEEK_TICKETS if kind == "ticket" and number in BAD_WEEK else 1
        for n in range(round(usual * busy * hard * rng.uniform(0.85, 1.15))):
            yield Arrival(days.moment(day, rng), f"{number}/{kind}/{n}", kind)


def _slot(company: Company, scenario: Scenario, number: int) -> Iterator[Arrival]:
    begin = company.start + number * SLOT
    flood = scenario.holds(Trouble.TICKET_FLOOD, begin)
    found = []
    for kind, every in EVERY.items():
        rate = every // FLOOD if kind == "ticket" and flood else every
        if number % rate == rate // 2:
            jitter = random.Random(f"slot/{company.seed}/{number}/{kind}").randint(1, 8)
            found.append(Arrival(begin + timedelta(seconds=jitter), f"live/{number}/{kind}", kind))
    yield from sorted(found)
