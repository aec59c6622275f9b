"""Units that use a capability, week by week (domain section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from platform_meter.measures.adoption.book import Book, asked, midnight
from platform_meter.measures.adoption.seen import evidence, refusal, use_known, wanted, watermark
from platform_meter.measures.adoption.standing import told_by
from platform_meter.measures.adoption.units import eligible_units, roster
from platform_meter.measures.adoption.use import DaysRead, Reader
from platform_meter.measures.impact.yardstick import Kind, Seen, Told, Yardstick
from platform_meter.model.catalogue.adoption import ACTIVE_UNITS
from platform_meter.model.definitions import Capability, Definitions, Unit
from platform_meter.model.facts import Fact
from platform_meter.model.measure import Scene


@dataclass(slots=True)
class _Books:
    """Use that was read, by capability and first day: only what is new is read again."""

    by: dict[tuple[str, date], Book] = field(default_factory=dict)


def _capability(definitions: Definitions, labels: Mapping[str, str]) -> Capability | None:
    found = (c for c in definitions.capabilities if c.id == labels.get("capability") and not refusal(c))
    return next(found, None)


def _read(scene: Scene, labels: Mapping[str, str], start: datetime, end: datetime) -> Told | None:
    """Each unit on each day on which it used it, of the units that are eligible now."""
    capability, zone, history = _capability(scene.definitions, labels), scene.zone, scene.history
    until = None if capability is None else watermark(scene, capability)
    known = None if capability is None else use_known(history, capability, zone)
    if capability is None or until is None or known is None:
        return None
    pruned = history.pruned()
    if pruned is not None:
        known = max(known, pruned.astimezone(zone).date() + timedelta(days=1))
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    book = scene.kept.of(_Books).by.setdefault((capability.id, first), wanted([capability], zone))
    book.read(history, first, last)
    days, reader = DaysRead(end=last, count=(last - first).days), Reader(history, book, None)
    homes = reader.homes(asked(capability.active), days) if capability.unit is Unit.PERSON else {}
    today, names = until.astimezone(zone).date(), roster(scene)
    eligible = eligible_units(capability, names, today, homes)
    # Noon, so that a change of clocks moves no day into another week.
    noon = timedelta(hours=12)
    moments = [midnight(first + timedelta(days=n), zone).astimezone(UTC) + noon for n in range(days.count)]
    seen = [
        Seen(
            moments[day],
            1.0,
            unit if capability.unit is Unit.TEAM else names.team_of(unit) if capability.unit is Unit.SERVICE else "",
            "" if capability.unit is Unit.TEAM else unit,
        )
        for unit, amounts in evidence(capability, reader, capability.unit, days, scene.now).items()
        if unit in eligible
        for day, amount in enumerate(amounts)
        if amount and moments[day] - noon < until
    ]
    # The running day is not over: what is known whole ends with the one before.
    return Told(since=midnight(known, zone), until=midnight(today, zone), seen=seen)


def _kinds(definitions: Definitions, labels: Mapping[str, str]) -> frozenset[type[Fact]]:
    capability = _capability(definitions, labels)
    asks = () if capability is None else (capability.adopted, capability.active)
    return frozenset(kind for by in asks for kind in told_by(by))


ACTIVE = Yardstick(
    metric=ACTIVE_UNITS,
    means="units with any use in a week",
    kind=Kind.WEEKLY,
    better="higher",
    needs=("capability",),
    kinds=_kinds,
    read=_read,
)
