"""One capability seen at one moment: who is eligible, who adopted, who uses it, and each unit's state (domain section 11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from platform_meter.measures.adoption.book import Amounts, Book, asked
from platform_meter.measures.adoption.standing import KINDS, apart, holds, stocks, stood, telling
from platform_meter.measures.adoption.units import OwnerKey, Roster, eligible_units, exempt, known_units
from platform_meter.measures.adoption.use import DaysRead, Reader, qualifies, whole_days
from platform_meter.model.definitions import Active, Adopted, Capability, Unit
from platform_meter.model.history import History, UnitState, known_to
from platform_meter.model.measure import Scene

GRACE = 14
"""DaysRead for which the predicate may be false before a unit counts as no adopter any more."""
CHURN_DAYS = 28
"""How far back the churn ratio looks."""


class State(StrEnum):
    NOT_ELIGIBLE = "not_eligible"
    EXEMPT = "exempt"
    """Would be judged, but is left out by name; counts as not eligible in every ratio and transition."""
    CHURNED = "churned"
    ACTIVE = "active"
    DORMANT = "dormant"
    ADOPTED_IDLE = "adopted_idle"
    ELIGIBLE = "eligible"


EVER_ACTIVE, EVER_ADOPTED = "active", "adopted"
"""What a daily state tells that was ever true of its unit."""
OUTSIDE = frozenset({State.NOT_ELIGIBLE, State.EXEMPT})


def refusal(capability: Capability) -> str:
    """Why a capability can't be measured, for `check` to print; empty when it can. Nothing is published for a refused one."""
    every = capability.adopted.every
    if every is not None and every.count.lower() not in KINDS:
        return (
            f"capability {capability.id}: adopted.every.count {every.count!r} is no kind of standing object; {_kinds()}"
        )
    if never := apart(capability.adopted):
        return f"capability {capability.id}: {never}"
    for name, by in (("adopted", capability.adopted), ("active", capability.active)):
        if by.count is not None and by.count.lower() not in KINDS:
            said = f"{name}.count {by.count!r} is no kind of standing object; {_kinds()}, or use verb"
            return f"capability {capability.id}: {said}"
        if by.count is not None and capability.unit is Unit.PERSON:
            return (
                f"capability {capability.id}: unit person can't be {name} by count, since objects belong to services "
                f"and teams; write {name}: {{source: ..., verb: ...}}"
            )
    return ""


def _kinds() -> str:
    return f"write one of {', '.join(sorted(w for w in KINDS if w.endswith('s')))}"


def watermark(scene: Scene, capability: Capability) -> datetime | None:
    """Up to when all that the capability reads is known; None when it is stale, was never read whole, or nothing gives it."""
    adopted, active = (known_to(telling(scene.history, by)) for by in (capability.adopted, capability.active))
    return None if adopted is None or active is None else min(scene.now, adopted, active)


def begins(history: History, capability: Capability, zone: ZoneInfo) -> date | None:
    """The first day of which the capability is known: its standing objects, and a whole `active.window` of use up to it.

    None while something that it reads was never read, or nothing gives it.
    """
    adopted, used = first_known(history, capability.adopted, zone), use_known(history, capability, zone)
    if adopted is None or used is None:
        return None
    window = timedelta(days=whole_days(capability.active.window) - 1)
    whole = max(adopted if capability.adopted.count else adopted + window, used + window)
    named = _people_known(history, capability, zone)
    return whole if named is None else max(whole, named + window)


def use_known(history: History, capability: Capability, zone: ZoneInfo) -> date | None:
    """The first day all of whose use by `active` is known."""
    known, named = first_known(history, capability.active, zone), _people_known(history, capability, zone)
    return known if known is None or named is None else max(known, named)


def _people_known(history: History, capability: Capability, zone: ZoneInfo) -> date | None:
    """The first whole day on which people have the names that they have now; None where that is every day."""
    since = history.people_since() if capability.unit is Unit.PERSON else None
    if since is None:
        return None
    local = since.astimezone(zone)
    return local.date() if local.time() == time() else local.date() + timedelta(days=1)


def first_known(history: History, by: Adopted | Active, zone: ZoneInfo) -> date | None:
    """The first day of which all is known that these tell; None while one of them was never read."""
    states = telling(history, by)
    # Of readings the end of a day tells, so that the day on which they were first seen is known; of use all of it.
    read = [moment.astimezone(zone) for s in states if (moment := s.since if by.count else s.read_from) is not None]
    if not read or len(read) < len(states):
        return None
    return max(r.date() if by.count or r.time() == time() else r.date() + timedelta(days=1) for r in read)


class Predicate:
    """`adopted`, at the moment looked at.

    `count`: standing objects of one kind from the source type, those that `select` lets pass, per owner; true from
    `min` on. `select` asks labels of the object and fields of the reading by one name; either may match. With `every`
    all of those have to be among them.
    `verb`: the amount of use of the verb in the active window, of such as `select` lets pass; true from `min` on.
    """

    def __init__(self, capability: Capability, reader: Reader, moment: datetime, days: DaysRead) -> None:
        self._adopted, self._reader, self._moment, self._days = capability.adopted, reader, moment, days
        self._window = whole_days(capability.active.window)
        self._asked = asked(capability.adopted)

    def units(self, unit: Unit) -> frozenset[str]:
        """Units for which it is true."""
        if self._adopted.count is not None:
            return self._standing(unit)
        span = self._days.last(self._window)
        least = self._adopted.min
        return self._reader.enough(unit, self._asked, self._days, span, min_days=0, min_amount=least)

    def kept(self, unit: Unit, doubtful: Collection[str], used: frozenset[str]) -> frozenset[str]:
        """Those of `doubtful`, adopters once, that are so still though it is false now.

        `count`: on one of the last 14 days it was true. `verb`: adopting is use, so only silence ends it; those in
        `used` are not silent.
        """
        if self._adopted.count is None:
            return used.intersection(doubtful)
        left, found = set(doubtful), set[str]()
        for back in range(1, GRACE + 1):
            if not left:
                break
            then = left & self._standing(unit, back)
            found |= then
            left -= then
        return frozenset(found)

    def use(self, unit: Unit) -> Mapping[str, Amounts]:
        """Amounts of the `adopted` verb by unit; nothing where adopting is no use."""
        return self._reader.use(unit, self._asked, self._days) if self._asked.verbs else {}

    def _standing(self, unit: Unit, back: int = 0) -> frozenset[str]:
        """Units for which enough objects stood `back` days ago."""
        at = self._moment - timedelta(days=back) if back else self._reader.at
        there = stocks(self._adopted, self._reader, unit, at=at, moment=self._moment)
        return frozenset(u for u, stock in there.items() if holds(self._adopted, stock))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one moment shows, before any unit's past is taken in."""

    capability: Capability
    moment: datetime
    days: DaysRead
    use: Mapping[str, Amounts]
    """By unit; any use counts here."""
    known: frozenset[str]
    eligible: frozenset[str]
    exempt: frozenset[str]
    held: frozenset[str]
    """For which `adopted` holds."""
    adopted: frozenset[str]
    """These, and who is active unless the file parts the two."""
    active: frozenset[str]
    """With qualifying use in the window up to now: `active(u, t, W)`; eligible or not."""
    homes: Mapping[str, frozenset[OwnerKey]]
    """Of people only: owners of what they used."""
    predicate: Predicate


def active_at(capability: Capability, use: Mapping[str, Amounts], days: DaysRead, *, before: int = 0) -> frozenset[str]:
    """Units with qualifying use in the window that ended `before` days ago."""
    bounds = capability.active
    span = days.last(whole_days(bounds.window), before=before)
    return frozenset(u for u, amounts in use.items() if qualifies(amounts, span, bounds.min_days, bounds.min_amount))


def active_now(capability: Capability, reader: Reader, unit: Unit, days: DaysRead, moment: datetime) -> frozenset[str]:
    """Units with qualifying use in the window that ends with `days`."""
    by = capability.active
    if by.count:
        return active_at(capability, stood(by, reader, unit, days, moment), days)
    span = days.last(whole_days(by.window))
    return reader.enough(unit, asked(by), days, span, min_days=by.min_days, min_amount=by.min_amount)


def wanted(capabilities: Sequence[Capability], zone: ZoneInfo) -> Book:
    """An empty book of all use that these ask for."""
    asks = [asked(by) for c in capabilities for by in (c.adopted, c.active)]
    people = [asked(by) for c in capabilities if c.unit is Unit.PERSON for by in (c.adopted, c.active)]
    return Book(asks, zone, people)


def what(capability: str) -> str:
    """Under what the daily states of a capability are kept."""
    return f"adoption/{capability}"


def days_back(capability: Capability) -> int:
    """How many days of use one look at it reads."""
    return max(CHURN_DAYS + whole_days(capability.active.window), whole_days(capability.inactive))


def evidence(
    capability: Capability, reader: Reader, unit: Unit, days: DaysRead, moment: datetime
) -> Mapping[str, Amounts]:
    """Amounts by unit and day of what makes it active: use, or objects that stood."""
    active = capability.active
    return stood(active, reader, unit, days, moment) if active.count else reader.use(unit, asked(active), days)


def look(
    capability: Capability,
    reader: Reader,
    known: Roster,
    *,
    moment: datetime,
    end: date,
    previous: Mapping[str, UnitState],
) -> Seen:
    """See a capability at `moment`; days up to `end` (exclusive) count as use so far."""
    days = DaysRead(end=end, count=days_back(capability))
    predicate = Predicate(capability, reader, moment, days)
    use = evidence(capability, reader, capability.unit, days, moment)
    homes = reader.homes(asked(capability.active), days) if capability.unit is Unit.PERSON else {}
    left_out = exempt(capability, end - timedelta(days=1))
    eligible = eligible_units(capability, known, end - timedelta(days=1), homes)
    units = known_units(capability, known, homes)
    if capability.unit is Unit.PERSON:
        # Who was not seen lately has no owner to ask a selector about, so stays what the last snapshot said.
        eligible |= {u for u, was in previous.items() if u not in homes and was.state not in OUTSIDE} - left_out
    held = predicate.units(capability.unit)
    active = active_now(capability, reader, capability.unit, days, moment)
    return Seen(
        capability=capability,
        moment=moment,
        days=days,
        use=use,
        known=units | left_out | {u for u, was in previous.items() if was.ever},
        eligible=eligible,
        exempt=left_out,
        held=held,
        adopted=held if capability.parted else held | active,
        active=active,
        homes=homes,
        predicate=predicate,
    )


def states(seen: Seen, previous: Mapping[str, UnitState]) -> dict[str, State]:
    """Each known unit's state, the first that fits; what a unit `was` is what the last snapshot says it ever was."""
    capability, predicate = seen.capability, seen.predicate
    idle = seen.days.last(whole_days(capability.inactive))
    uses = (seen.use, predicate.use(capability.unit))
    used = frozenset(u for use in uses for u, amounts in use.items() if any(amounts[idle]))
    # A unit that was churned and shows no use stays so, whatever its predicate did: looking back is for the others.
    doubtful = {
        u
        for u, was in previous.items()
        if EVER_ADOPTED in was.ever and u not in seen.adopted and (was.state != State.CHURNED or u in used)
    }
    adopter = seen.adopted | predicate.kept(capability.unit, doubtful & seen.eligible, used)
    found: dict[str, State] = {}
    for unit in sorted(seen.known):
        was = previous.get(unit)
        was_active = was is not None and EVER_ACTIVE in was.ever
        was_adopter = was is not None and EVER_ADOPTED in was.ever
        if unit in seen.exempt:
            found[unit] = State.EXEMPT
        elif unit not in seen.eligible:
            found[unit] = State.NOT_ELIGIBLE
        elif (was_adopter and unit not in adopter) or (was_active and unit not in used):
            found[unit] = State.CHURNED
        elif unit in seen.active:
            found[unit] = State.ACTIVE
        elif was_active:
            found[unit] = State.DORMANT
        elif unit in adopter:
            found[unit] = State.ADOPTED_IDLE
        else:
            found[unit] = State.ELIGIBLE
    return found
