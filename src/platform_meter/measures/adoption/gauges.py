"""Adoption now: units by state, ratios, active units, stickiness, churn, depth, team x capability grid (domain section 11).

Computed at the moment: use counts up to the watermark (the least of all sources the capability reads), today so far
included; what a unit *was* comes from the last daily snapshot. A capability is absent while a source it reads is
stale, and where `seen.refusal` refuses it. Counts and ratios are over eligible units; exempt ones leave them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from platform_meter.measures.adoption import breadth
from platform_meter.measures.adoption.book import Book
from platform_meter.measures.adoption.now import CODES, Standing, first_state, standings, units_of_teams
from platform_meter.measures.adoption.seen import CHURN_DAYS, OUTSIDE, State, active_at
from platform_meter.measures.adoption.use import active_units, churn, stickiness, whole_days
from platform_meter.model.catalogue.adoption import (
    ACTIVE_UNITS,
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    CHURN,
    STICKINESS,
    TEAM_CAPABILITY_STATE,
)
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Metric, Ratio, Sample, Value

WINDOWS = {"7d": 7, "28d": 28}
SPAN = 28
"""Days that stickiness looks at."""


def compute(scene: Scene, book: Book | None = None) -> Iterator[Sample]:
    """Samples of all capabilities.

    Args:
        scene: the store's seen.
        book: use that was read already, kept from one moment to the next.
    """
    found = [(now, breadth.deployables(now)) for now in standings(scene, scene.definitions.capabilities, book)]
    for now, teams in found:
        yield from _samples(now)
        yield from _depth(now, teams)
        yield from _grid(now)
    yield from breadth.compute(scene, found)


def _samples(now: Standing) -> Iterator[Sample]:
    seen, capability = now.seen, now.seen.capability
    ids = (capability.id, capability.unit.value)
    mandated = (*ids, str(capability.mandated).lower())

    def sample(metric: Metric, labels: tuple[str, ...], value: Value) -> Sample:
        return Sample(metric=metric, labels=labels, value=value)

    counts = Counter(now.states.values())
    for state in State:
        yield sample(ADOPTION_UNITS, (*ids, state), float(counts[state]))
    whole = sum(n for state, n in counts.items() if state not in OUTSIDE)
    adopted = len(seen.adopted & seen.eligible)
    yield sample(ADOPTION_RATIO, mandated, Ratio(part=adopted, whole=whole))
    yield sample(ADOPTION_ACTIVE_RATIO, mandated, Ratio(part=counts[State.ACTIVE], whole=whole))
    read = (seen.days.end - now.since).days
    for label, days in WINDOWS.items():
        if days <= read:
            units = active_units(seen.use, seen.eligible, seen.days.last(days))
            yield sample(ACTIVE_UNITS, (*ids, label), float(len(units)))
    # Today so far is no whole business day: stickiness looks at the 28 days before it.
    if read > SPAN:
        span = seen.days.last(SPAN, before=1)
        yield sample(STICKINESS, (*ids, "28d"), stickiness(seen.use, seen.eligible, seen.days, span))
    if read >= CHURN_DAYS + whole_days(capability.active.window):
        then = active_at(capability, seen.use, seen.days, before=CHURN_DAYS)
        yield sample(CHURN, (*ids, "28d"), churn(then, seen.active, seen.eligible))


def depths(teams: Mapping[str, breadth.On]) -> Mapping[str, float]:
    """By eligible team, its deployables on the capability / its eligible deployables."""
    return {team: sum(on.values()) / len(on) for team, on in teams.items()}


def _depth(now: Standing, teams: Mapping[str, breadth.On]) -> Iterator[Sample]:
    """The mean over teams; absent where none has a depth."""
    capability, found = now.seen.capability, depths(teams)
    labels = (capability.id, capability.unit.value, str(capability.mandated).lower())
    if found:
        yield Sample(
            metric=ADOPTION_DEPTH_RATIO, labels=labels, value=Ratio(part=sum(found.values()), whole=len(found))
        )


def _grid(now: Standing) -> Iterator[Sample]:
    for team, units in units_of_teams(now).items():
        first = first_state(now, units)
        if first is not None:
            labels = (team, now.seen.capability.id)
            yield Sample(metric=TEAM_CAPABILITY_STATE, labels=labels, value=float(CODES[first]))
