"""Evidence of use: amounts by unit and day, and what follows from them alone (domain section 11).

Active units, stickiness and the first-use day count *any* use; `active` asks for `min_days` and `min_amount`.
A use of amount 0 is no use. Use is attributed to the owner the object has at the moment looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import add
from zoneinfo import ZoneInfo

from platform_meter.measures.adoption.units import OwnerKey
from platform_meter.model.definitions import Unit
from platform_meter.model.facts import Event, event_kinds
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import History, UsageDay
from platform_meter.model.metric import UNOWNED, Ratio

Amounts = list[float]
"""Amount of use by day, from the first day that was read."""
NONE: Amounts = []


def telling_use(*verbs: str) -> frozenset[type[Event]]:
    """Kinds of event that tell of use: `Usage`, and those with a verb of their own; with `verbs`, only one of these."""
    kinds = event_kinds().values()
    return frozenset({Usage, *(kind for kind in kinds if kind.verb and (not verbs or kind.verb in verbs))})


BUSINESS = 5
"""Business days are Monday to Friday; holidays are not known per unit and count as business days."""


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When `day` begins in `zone`."""
    return datetime.combine(day, time(), tzinfo=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysRead:
    """The days that were read: `count` of them up to `end`, which is the first day not read."""

    end: date
    count: int

    @property
    def start(self) -> date:
        return self.end - timedelta(days=self.count)

    def last(self, days: int, *, before: int = 0) -> slice:
        """Where the `days` days stand that end `before` days ahead of `end`; what was not read is left out."""
        stop = max(0, self.count - before)
        return slice(max(0, stop - days), stop)


def whole_days(length: timedelta) -> int:
    """DaysRead that cover `length`."""
    return -(-length // timedelta(days=1))


def qualifies(amounts: Sequence[float], span: slice, min_days: int, min_amount: float) -> bool:
    """Whether use in `span` reaches both bounds: distinct days with use, and amount in all."""
    part = amounts[span]
    return len(part) - part.count(0.0) >= min_days and sum(part) >= min_amount


class Remembered:
    """Use by object and day, read once for a span of days that many snapshots look into.

    Args:
        history: the store's view.
        start: the first day that any of them reads.
        end: the first day that none of them reads.
    """

    def __init__(self, history: History, start: date, end: date) -> None:
        self._history, self._start, self._end = history, start, end
        self._days: dict[tuple[str, tuple[str, ...]], list[list[UsageDay]]] = {}

    def usage_days(self, verbs: Sequence[str], source_type: str, start: date, end: date) -> Iterator[UsageDay]:
        """As `History.usage_days`, in order of day."""
        if start < self._start or end > self._end:
            yield from self._history.usage_days(verbs, source_type, start, end)
            return
        key = (source_type, tuple(verbs))
        days = self._days.get(key)
        if days is None:
            days = self._days[key] = [[] for _ in range((self._end - self._start).days)]
            for row in self._history.usage_days(verbs, source_type, self._start, self._end):
                days[(row.day - self._start).days].append(row)
        for day in days[(start - self._start).days : (end - self._start).days]:
            yield from day


class Reader:
    """Reads use for many capabilities at one moment; asks for each object's owner once.

    Args:
        history: the store's view.
        zone: cuts days.
        at: whose owners count; None for now.
        remembered: use that was read already.
    """

    def __init__(
        self, history: History, zone: ZoneInfo, at: datetime | None, remembered: Remembered | None = None
    ) -> None:
        self.history, self.zone, self.at = history, zone, at
        self._use = remembered or history
        self._owners: dict[int, OwnerKey] = {}

    def owner(self, object_: int) -> OwnerKey:
        """Service and team of an object."""
        known = self._owners.get(object_)
        if known is None:
            found = self.history.owner(object_, self.at)
            known = self._owners[object_] = (found.service, found.team)
        return known

    def by_owner(self, source_type: str, verbs: Sequence[str], days: DaysRead) -> dict[OwnerKey, Amounts]:
        """Amounts by owner; objects of one owner add up."""
        found: dict[OwnerKey, Amounts] = {}
        by_object: dict[int, Amounts] = {}
        first = days.start.toordinal()
        for row in self._use.usage_days(verbs, source_type, days.start, days.end):
            try:
                amounts = by_object[row.object]
            except KeyError:
                owner = self.owner(row.object)
                amounts = by_object[row.object] = found.setdefault(owner, [0.0] * days.count)
            amounts[row.day.toordinal() - first] += row.amount
        return found

    def by_person(
        self, source_type: str, verbs: Sequence[str], days: DaysRead
    ) -> tuple[dict[str, Amounts], dict[str, frozenset[OwnerKey]]]:
        """Amounts by actor of `Usage`, and the owners of whatever each known actor used of this source type."""
        found: dict[str, Amounts] = {}
        homes: dict[str, set[OwnerKey]] = {}
        first = days.start.toordinal()
        start, end = midnight(days.start, self.zone), midnight(days.end, self.zone)
        for state in self.history.sources(Usage):
            if state.type != source_type:
                continue
            for row in self.history.rows(Usage, start, end, source=state.instance):
                event = row.event
                if not event.actor:
                    continue
                homes.setdefault(event.actor, set()).add(self.owner(row.object))
                if event.action in verbs:
                    amounts = found.setdefault(event.actor, [0.0] * days.count)
                    amounts[event.at.astimezone(self.zone).toordinal() - first] += event.amount
        return found, {person: frozenset(owners) for person, owners in homes.items()}


def per_unit(unit: Unit, by_owner: Mapping[OwnerKey, Amounts]) -> dict[str, Amounts]:
    """Amounts of owners added up by team or service; `_unowned` is no unit."""
    place = 0 if unit is Unit.SERVICE else 1
    found: dict[str, Amounts] = {}
    for owner, amounts in by_owner.items():
        if owner[place] != UNOWNED:
            last = found.get(owner[place])
            found[owner[place]] = amounts if last is None else list(map(add, last, amounts))
    return found


def active_units(use: Mapping[str, Amounts], units: Collection[str], span: slice) -> int:
    """Units of `units` with any use in `span`."""
    return sum(1 for unit in units if any(use.get(unit, NONE)[span]))


def stickiness(use: Mapping[str, Amounts], units: Collection[str], days: DaysRead, span: slice) -> Ratio:
    """Mean units with any use per business day of `span` / units with any use in `span`; never above 1."""
    business = [i for i in range(span.start, span.stop) if (days.start + timedelta(days=i)).weekday() < BUSINESS]
    parts = [use[unit] for unit in units if unit in use and any(use[unit][span])]
    daily = sum(sum(1 for i in business if part[i]) for part in parts)
    return Ratio(part=daily / max(1, len(business)), whole=len(parts) if business else 0)


def churn(then: Collection[str], now: Collection[str], eligible: Collection[str]) -> Ratio:
    """1 - |active now and then| / |active then|, over units still eligible."""
    still = set(then) & set(eligible)
    return Ratio(part=len(still - set(now)), whole=len(still))
