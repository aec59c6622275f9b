"""Standards: mandated capabilities of standing objects, and which units keep to each of them (domain section 11).

A unit passes while `adopted` holds for it as things stand; use has no say. What a unit is at the end of each day is
kept, so that it is known since when. Nothing is said of a standard while a source that tells of it is stale.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from platform_meter.measures.adoption.book import midnight
from platform_meter.measures.adoption.seen import first_known, refusal, wanted
from platform_meter.measures.adoption.standing import Stock, holds, stocks, telling
from platform_meter.measures.adoption.units import Roster, eligible_units, exempt, roster
from platform_meter.measures.adoption.use import Reader
from platform_meter.model.catalogue.adoption import STANDARD_UNITS, TEAM_STANDARD_RATIO
from platform_meter.model.definitions import Capability, Definitions, Unit
from platform_meter.model.history import History, UnitState
from platform_meter.model.measure import Labels, Piece, Scene, StateDay, Stating
from platform_meter.model.metric import Metric, Ratio, Sample

DAY = timedelta(days=1)


class Verdict(StrEnum):
    PASSES = "passes"
    FAILS = "fails"
    EXEMPT = "exempt"
    """Left out by name, until a day and for a reason."""
    UNKNOWN = "unknown"
    """None of its objects could be judged: none stands, or no source would tell."""


JUDGED = frozenset({Verdict.PASSES, Verdict.FAILS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One unit, held against a standard."""

    team: str
    verdict: Verdict
    stock: Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """One standard at one moment, by unit."""

    capability: Capability
    units: Mapping[str, Judged]

    def teams(self) -> Mapping[str, Sequence[str]]:
        """The units of each team that pass or fail, by team; a team without any has no share."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for unit, judged in self.units.items():
            if judged.verdict in JUDGED:
                found[judged.team].append(unit)
        return dict(sorted(found.items()))


class Since(NamedTuple):
    """From which day on a unit is what it is."""

    day: date
    or_earlier: bool
    """Nothing is known of the day before."""


class _Kept:
    """Since when units are what they were on the newest day. For any number of threads: each entry is put whole."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[date, Mapping[str, date]]] = {}

    def unchanged_since(self, history: History, of: str, last: date) -> Mapping[str, date]:
        """As of the history; asked once for each newest day, since all days are looked at for it."""
        known = self._found.get(of)
        if known is None or known[0] != last:
            known = self._found[of] = last, history.unchanged_since(of)
        return known[1]


def standards(definitions: Definitions) -> list[Capability]:
    """Capabilities that are standards, as declared; without those that cannot be measured."""
    return [c for c in definitions.capabilities if c.standard and not refusal(c)]


def what(capability: str) -> str:
    """Under what the daily states of a standard are kept."""
    return f"standard/{capability}"


def scorecards(scene: Scene, chosen: Iterable[Capability]) -> Iterator[Scorecard]:
    """Each of these standards now, without those of which a source is stale or was never read whole."""
    known = [c for c in chosen if _known_to(scene, c) is not None]
    if known:
        reader, units = _reader(scene, None), roster(scene)
        for capability in known:
            yield _judge(capability, reader, units, scene.now, scene.now.astimezone(scene.zone).date())


def since(scene: Scene, card: Scorecard) -> Mapping[str, Since]:
    """By unit, since when it is what it is now; days of which nothing is stored are passed over."""
    of, today = what(card.capability.id), scene.now.astimezone(scene.zone).date()
    last = scene.history.last_day(of)
    stored = scene.history.states_by_day(of, date.min, today)
    before = {} if last is None else {s.unit: s.state for s in scene.history.states(of, last, last + DAY)}
    first = {} if last is None else scene.kept.of(_Kept).unchanged_since(scene.history, of, last)
    found = ((unit, first[unit] if before.get(unit) == j.verdict else today) for unit, j in card.units.items())
    return {unit: Since(day, day - DAY not in stored) for unit, day in found}


def compute(scene: Scene) -> Iterator[Sample]:
    """How many units of each standard keep to it, and the share of each team's."""
    for card in scorecards(scene, standards(scene.definitions)):
        id_, counts = card.capability.id, Counter(judged.verdict for judged in card.units.values())
        for verdict in Verdict:
            labels = (id_, card.capability.unit.value, verdict.value)
            yield Sample(metric=STANDARD_UNITS, labels=labels, value=float(counts[verdict]))
        for team, units in card.teams().items():
            passing = sum(card.units[unit].verdict is Verdict.PASSES for unit in units)
            yield Sample(metric=TEAM_STANDARD_RATIO, labels=(team, id_), value=Ratio(part=passing, whole=len(units)))


def behind(scene: Scene, metric: Metric, labels: Labels) -> Iterator[Piece]:
    """The units of one series, each with its verdict."""
    wanted_id = labels[metric.labels.index("capability")]
    day = scene.now.astimezone(scene.zone).date()
    for card in scorecards(scene, [c for c in standards(scene.definitions) if c.id == wanted_id]):
        chosen: Collection[str] = card.teams().get(labels[0], ())
        if metric is STANDARD_UNITS:
            chosen = [unit for unit, judged in card.units.items() if judged.verdict == labels[2]]
        for unit in chosen:
            verdict = card.units[unit].verdict
            state = UnitState(day=day, what=what(wanted_id), unit=unit, state=verdict)
            yield Piece(fact=state, part=float(verdict is Verdict.PASSES))


def next_days(scene: Scene) -> Sequence[StateDay]:
    """Of each standard the day before the one that is known so far, once it is over and where it is not stored yet.

    Readings tell how things stand, so that a day on which nobody looked stays out.
    """
    found: list[StateDay] = []
    units: Roster | None = None
    for capability in standards(scene.definitions):
        known_to, of = _known_to(scene, capability), what(capability.id)
        first = first_known(scene.history, capability.adopted, scene.zone)
        if known_to is None or first is None:
            continue
        day, last = known_to.astimezone(scene.zone).date() - DAY, scene.history.last_day(of)
        if day < first or (last is not None and last >= day):
            continue
        units, moment = units or roster(scene), midnight(day + DAY, scene.zone).astimezone(UTC)
        card = _judge(capability, _reader(scene, moment), units, moment, day)
        states = [UnitState(day=day, what=of, unit=unit, state=j.verdict) for unit, j in card.units.items()]
        # Without any unit there is nothing to store, and the day would be due again for ever.
        if states:
            found.append(StateDay(what=of, day=day, states=tuple(states)))
    return found


def _reader(scene: Scene, at: datetime | None) -> Reader:
    """Of owners alone: a standard asks for no use."""
    return Reader(scene.history, wanted((), scene.zone), at)


def _known_to(scene: Scene, capability: Capability) -> datetime | None:
    """Up to when all that tells of the standard is known; None while some of it is stale or was never read whole."""
    states = telling(scene.history, capability.adopted)
    known = [s.watermark for s in states if s.fresh and s.watermark is not None]
    return min(known) if known and len(known) == len(states) else None


def _judge(capability: Capability, reader: Reader, known: Roster, moment: datetime, day: date) -> Scorecard:
    """The units that are eligible or exempt on `day`, as their objects stood at `moment`."""
    there = stocks(capability.adopted, reader, capability.unit, at=reader.at, moment=moment)
    left_out = exempt(capability, day)
    verdicts = {True: Verdict.PASSES, False: Verdict.FAILS, None: Verdict.UNKNOWN}
    units: dict[str, Judged] = {}
    for unit in sorted(eligible_units(capability, known, day, {}) | left_out):
        stock = there.get(unit)
        units[unit] = Judged(
            team=unit if capability.unit is Unit.TEAM else known.team_of(unit),
            verdict=Verdict.EXEMPT if unit in left_out else verdicts[holds(capability.adopted, stock)],
            stock=stock or Stock(),
        )
    return Scorecard(capability=capability, units=units)


STATES = Stating(name="standards", metrics=(), take=next_days)
