"""Retention: of those who began in one month, how many were active in each later one (domain section 11).

A unit begins in the month of the first day on which a snapshot has it active; of those that the first snapshot has active
nobody knows when they began. Who leaves stays in the cohort. A cohort of fewer than five goes with the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from platform_meter.measures.adoption.goals import told
from platform_meter.measures.adoption.seen import State, what
from platform_meter.model.catalogue.adoption import COHORT_RETENTION
from platform_meter.model.history import History, UnitState
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample

COHORTS, AGES = 13, 12
LEAST = 5
"""Units of a cohort."""
Months = Mapping[str, Collection[tuple[int, int]]]
"""By unit the months, as (year, month), on a day of which it was active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    month: tuple[int, int]
    """The last one of those that went together."""
    units: tuple[str, ...]
    active: tuple[frozenset[str], ...]
    """Which of them were active in their first month after the one they began in, in their second, and so on, as far as all of them have lived: the running month is not over."""

    @property
    def called(self) -> str:
        return f"{self.month[0]}-{self.month[1]:02}"


def cohorts(months: Months, known: Collection[str], running: tuple[int, int]) -> list[Cohort]:
    """The newest `COHORTS` that are over, in order.

    Args:
        months: of every unit that was ever active.
        known: units that were active when anybody looked first.
        running: the month that is not over.
    """
    began: defaultdict[int, list[str]] = defaultdict(list)
    for unit, active in months.items():
        if unit not in known:
            began[min(_number(month) for month in active)].append(unit)
    end, found, waiting = _number(running), list[Cohort](), list[tuple[str, int]]()
    for month in sorted(month for month in began if month < end):
        waiting += [(unit, month) for unit in sorted(began[month])]
        if len(waiting) >= LEAST:
            found.append(_cohort(waiting, month, end, months))
            waiting = []
    return found[-COHORTS:]


def _cohort(units: Sequence[tuple[str, int]], month: int, end: int, months: Months) -> Cohort:
    lived = [(unit, first, {_number(m) for m in months[unit]}) for unit, first in units]
    active = (
        frozenset(unit for unit, first, lit in lived if first + age in lit)
        for age in range(1, AGES + 1)
        if month + age < end
    )
    called = month // 12, month % 12 + 1
    return Cohort(month=called, units=tuple(unit for unit, _ in units), active=tuple(active))


def _number(month: tuple[int, int]) -> int:
    return month[0] * 12 + month[1] - 1


class Cohorts:
    """Cohorts of capabilities, read anew with each new snapshot."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[date, list[Cohort]]] = {}

    def of(self, history: History, capability: str) -> list[Cohort]:
        """Of the last snapshot; none before the first."""
        kind = what(capability)
        last = history.last_day(kind)
        if last is None:
            return []
        read = self._read.get(capability)
        if read is None or read[0] != last:
            read = self._read[capability] = last, _read(history, kind, last)
        return read[1]


def _read(history: History, kind: str, last: date) -> list[Cohort]:
    first = next(iter(history.states_by_day(kind, date.min, last + timedelta(days=1))))
    known = {one.unit for one in history.states(kind, first, first + timedelta(days=1)) if one.state == State.ACTIVE}
    today = last + timedelta(days=1)
    return cohorts(history.months_in_state(kind, State.ACTIVE), known, (today.year, today.month))


def compute(scene: Scene) -> Iterator[Sample]:
    """The share of each cohort in each month of its life that is over."""
    for capability in told(scene):
        for cohort in scene.kept.of(Cohorts).of(scene.history, capability.id):
            for age, active in enumerate(cohort.active, 1):
                yield Sample(
                    metric=COHORT_RETENTION,
                    labels=(capability.id, cohort.called, str(age)),
                    value=Ratio(part=len(active), whole=len(cohort.units)),
                )


def behind(scene: Scene, _metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """The units of the cohort; of those that were active in that month the state says so."""
    capability, called, age = wanted
    last = scene.history.last_day(what(capability))
    for cohort in scene.kept.of(Cohorts).of(scene.history, capability):
        if cohort.called == called and last is not None:
            active = cohort.active[int(age) - 1]
            for unit in cohort.units:
                state = State.ACTIVE if unit in active else State.DORMANT
                told_by = UnitState(day=last, what=what(capability), unit=unit, state=state)
                yield Piece(fact=told_by, part=float(unit in active))
