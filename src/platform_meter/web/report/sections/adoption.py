"""Adoption: who came, came back and left, by name; and which goals will be missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from platform_meter.measures.adoption.goals import GoalState, Trend, Trends, held
from platform_meter.measures.adoption.movers import moves
from platform_meter.measures.adoption.seen import refusal
from platform_meter.model.definitions import Capability, Unit
from platform_meter.web.pages.adoption.goals import goal_words, movers
from platform_meter.web.report.compare import WEEKS
from platform_meter.web.report.content import NOT_ENOUGH, Block, Bullets, Paragraph, Section, Table
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import percent

_WEEK = timedelta(days=7)
_NAMED = 10
"""Names of one kind of mover."""
_SEVERAL = {Unit.TEAM: "teams", Unit.SERVICE: "services", Unit.PERSON: "people"}
_BEHIND = (GoalState.AT_RISK, GoalState.MISSED)


def tell(told: Told) -> Section | None:
    """None where no capability is declared."""
    scene = told.then
    # What people choose comes first: what is mandated says little of the platform.
    capabilities = sorted((c for c in scene.definitions.capabilities if not refusal(c)), key=lambda c: c.mandated)
    if not capabilities:
        return None
    trends = scene.kept.of(Trends)
    rows, moved, lost = [], [], []
    for capability in capabilities:
        trend, title = trends.trend(scene, capability, "active"), _title(capability)
        if trend is None or trend.last != told.week.sunday:
            lost.append(title)
            continue
        rows.append([title, *_standing(trend, capability.unit)])
        if names := "; ".join(f"{word}: {who}" for word, who in _movers(told, capability)):
            moved.append(f"{title}: {names}.")
    goals = list(_goals(told, capabilities))
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(["Capability", "Active", "A week before", f"The {WEEKS} weeks before"], rows))
        blocks.append(Paragraph("Active of all eligible units on the last day; a census, so every difference is one."))
        blocks.append(Bullets(moved) if moved else Paragraph("Nobody came, came back or left this week."))
    if lost:
        blocks.append(Paragraph(f"{NOT_ENOUGH.capitalize()} for the last day of the week: {', '.join(lost)}."))
    if goals:
        blocks += [Paragraph("Goals that are missed, or will be as things go:"), Bullets(goals)]
    return Section(title="Adoption", blocks=blocks, brief=goals)


def _title(capability: Capability) -> str:
    return (capability.title or capability.id) + (" (mandated)" if capability.mandated else "")


def _standing(trend: Trend, unit: Unit) -> list[str]:
    """How much is active, a week before, and within what bounds on the same day of the weeks before."""
    past = [trend.last - n * _WEEK for n in range(1, WEEKS + 1)]
    known = [trend.ratio(day) for day in past if day in trend.days]
    return [
        f"{_of(trend, 0)} {unit if trend.of[trend.last] == 1 else _SEVERAL[unit]}",
        _of(trend, 1),
        f"{percent(min(known))} to {percent(max(known))}" if len(known) == WEEKS else NOT_ENOUGH,
    ]


def _of(trend: Trend, weeks: int) -> str:
    day = trend.last - weeks * _WEEK
    if day not in trend.days or not trend.of[day]:
        return NOT_ENOUGH
    return f"{percent(trend.ratio(day))}, {trend.days[day]} of {trend.of[day]}"


def _movers(told: Told, capability: Capability) -> Iterator[tuple[str, str]]:
    found = moves(told.then.history, capability.id, _WEEK.days)
    if found is not None and found.last == told.week.sunday and found.first == found.last - _WEEK:
        yield from movers(capability, found, _NAMED)


def _goals(told: Told, capabilities: list[Capability]) -> Iterator[str]:
    for capability in capabilities:
        for found in held(told.then, capability):
            if found.state in _BEHIND and found.trend.last == told.week.sunday:
                words = goal_words(found)
                yield f"{_title(capability)}: {words['said']} is {words['state']}, at {words['now']}. {words['more']}".strip()


CHAPTER = Chapter(place=3, tell=tell)
