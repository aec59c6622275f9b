"""Evidence of use: amounts by unit and day, and what follows from them alone (domain section 11).

Active units and stickiness count *any* use; `active` asks for `min_days` and `min_amount`. A use of amount 0 is no use.
Use is attributed to the owner the object has at the moment looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import add

from platform_meter.measures.adoption.book import MILLIONTHS, Amounts, Asked, Book
from platform_meter.measures.adoption.units import OwnerKey
from platform_meter.model.definitions import Unit
from platform_meter.model.history import History
from platform_meter.model.metric import UNOWNED, Ratio

NONE: Amounts = []
BUSINESS = 5
"""Business days are Monday to Friday; holidays are not known per unit and count as business days."""


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


def reaches(amounts: Sequence[int], least: float) -> bool:
    """Whether these add up to `least` units."""
    return sum(amounts) >= round(least * MILLIONTHS)


def qualifies(amounts: Sequence[int], span: slice, min_days: int, min_amount: float) -> bool:
    """Whether use in `span` reaches both bounds: distinct days with use, and amount in all."""
    part = amounts[span]
    return len(part) - part.count(0) >= min_days and reaches(part, min_amount)


class Reader:
    """Use by unit for many capabilities at one moment; adds up the same use, and asks for each object's owner, once.

    Args:
        history: the store's view.
        book: all use of the days that will be asked for.
        at: whose owners count; None for now.
    """

    def __init__(self, history: History, book: Book, at: datetime | None) -> None:
        self.history, self.at, self.midnight = history, at, book.midnight
        self._book = book
        self._owners: dict[int, OwnerKey] = {}
        self._by_owner: dict[tuple[Asked, DaysRead], dict[OwnerKey, Amounts]] = {}
        self._enough: dict[tuple[object, ...], frozenset[str]] = {}
        self._by_unit: dict[tuple[Asked, DaysRead, Unit], Mapping[str, Amounts]] = {}

    def owner(self, object_: int) -> OwnerKey:
        """Service and team of an object."""
        known = self._owners.get(object_)
        if known is None:
            found = self.history.owner(object_, self.at)
            known = self._owners[object_] = (found.service, found.team)
        return known

    def use(self, unit: Unit, one: Asked, days: DaysRead) -> Mapping[str, Amounts]:
        """Amounts by unit and day of `days`; `_unowned` is no unit."""
        place = (one, days, unit)
        known = self._by_unit.get(place)
        if known is None:
            known = self._of_people(one, days) if unit is Unit.PERSON else per_unit(unit, self._owned(one, days))
            self._by_unit[place] = known
        return known

    def enough(
        self, unit: Unit, one: Asked, days: DaysRead, span: slice, *, min_days: int, min_amount: float
    ) -> frozenset[str]:
        """Units with use in `span` that reaches both bounds; the same is asked once."""
        place = (unit, one, days, span.start, span.stop, min_days, min_amount)
        known = self._enough.get(place)
        if known is None:
            use = self.use(unit, one, days).items()
            known = frozenset(u for u, amounts in use if qualifies(amounts, span, min_days, min_amount))
            self._enough[place] = known
        return known

    def homes(self, one: Asked, days: DaysRead) -> Mapping[str, frozenset[OwnerKey]]:
        """The owners of whatever each known person used of this source type, under any verb."""
        found: dict[str, set[OwnerKey]] = {}
        first = (days.start - self._book.start).days
        for did in self._book.people(one):
            if first <= did.day < first + days.count:
                found.setdefault(did.actor, set()).add(self.owner(did.object))
        return {person: frozenset(owners) for person, owners in found.items()}

    def _of_people(self, one: Asked, days: DaysRead) -> dict[str, Amounts]:
        found: dict[str, Amounts] = {}
        first = (days.start - self._book.start).days
        for did in self._book.people(one):
            if did.amount and first <= did.day < first + days.count:
                found.setdefault(did.actor, [0] * days.count)[did.day - first] += did.amount
        return found

    def _owned(self, one: Asked, days: DaysRead) -> dict[OwnerKey, Amounts]:
        """Amounts by owner; objects of one owner add up."""
        found = self._by_owner.get((one, days))
        if found is not None:
            return found
        found = self._by_owner[one, days] = {}
        first = (days.start - self._book.start).days
        if first < 0 or days.end > self._book.end:
            raise ValueError(f"{days} is not in the book, which holds {self._book.start} to {self._book.end}")
        for objects in self._book.objects(one):
            for object_, all_days in objects.items():
                part = all_days[first : first + days.count]
                if any(part):
                    owner = self.owner(object_)
                    last = found.get(owner)
                    found[owner] = part if last is None else list(map(add, last, part))
        return found


def per_unit(unit: Unit, by_owner: Mapping[OwnerKey, Amounts]) -> dict[str, Amounts]:
    """Amounts of owners added up by team or service; `_unowned` is no unit."""
    place = 0 if unit is Unit.SERVICE else 1
    found: dict[str, Amounts] = {}
    for owner, amounts in by_owner.items():
        if owner[place] != UNOWNED:
            last = found.get(owner[place])
            found[owner[place]] = amounts if last is None else list(map(add, last, amounts))
    return found


def active_units(use: Mapping[str, Amounts], units: Collection[str], span: slice) -> Sequence[str]:
    """Those of `units` with any use in `span`."""
    return [unit for unit in units if any(use.get(unit, NONE)[span])]


def business_days(days: DaysRead, span: slice) -> Sequence[int]:
    """Where the business days of `span` stand among `days`."""
    return [i for i in range(span.start, span.stop) if (days.start + timedelta(days=i)).weekday() < BUSINESS]


def stickiness(use: Mapping[str, Amounts], units: Collection[str], days: DaysRead, span: slice) -> Ratio:
    """Mean units with any use per business day of `span` / units with any use in `span`; never above 1."""
    business = business_days(days, span)
    parts = [use[unit] for unit in active_units(use, units, span)]
    daily = sum(sum(1 for i in business if part[i]) for part in parts)
    return Ratio(part=daily / max(1, len(business)), whole=len(parts) if business else 0)


def churn(then: Collection[str], now: Collection[str], eligible: Collection[str]) -> Ratio:
    """1 - |active now and then| / |active then|, over units still eligible."""
    still = set(then) & set(eligible)
    return Ratio(part=len(still - set(now)), whole=len(still))
