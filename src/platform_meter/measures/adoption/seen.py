"""One capability seen at one moment: who is eligible, who adopted, who uses it, and each unit's state (domain section 11)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from platform_meter.measures.adoption.units import OwnerKey, Roster, eligible_units, exempt, known_units
from platform_meter.measures.adoption.use import Amounts, DaysRead, Reader, per_unit, qualifies, telling_use, whole_days
from platform_meter.model.definitions import Adopted, Capability, Unit
from platform_meter.model.facts import Reading, reading_kinds
from platform_meter.model.history import History, SourceState, UnitState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED

GRACE = 14
"""DaysRead for which the predicate may be false before a unit counts as no adopter any more."""
CHURN_DAYS = 28
"""How far back the churn ratio looks."""

KINDS: dict[str, type[Reading]] = {}
for _name, _kind in reading_kinds().items():
    _word = _name.lower()
    KINDS[_word] = KINDS[_word[:-1] + "ies" if _word.endswith("y") else _word + "s"] = _kind


class State(StrEnum):
    NOT_ELIGIBLE = "not_eligible"
    EXEMPT = "exempt"
    """Would be judged, but is left out by name; counts as not eligible in every ratio and transition."""
    CHURNED = "churned"
    ACTIVE = "active"
    DORMANT = "dormant"
    ADOPTED_IDLE = "adopted_idle"
    ELIGIBLE = "eligible"


OUTSIDE = frozenset({State.NOT_ELIGIBLE, State.EXEMPT})


def refusal(capability: Capability) -> str:
    """Why a capability can't be measured, for `check` to print; empty when it can. Nothing is published for a refused one."""
    word = capability.adopted.count
    if word is not None and word.lower() not in KINDS:
        kinds = ", ".join(sorted(w for w in KINDS if w.endswith("s")))
        return f"capability {capability.id}: adopted.count {word!r} is no kind of standing object; write one of {kinds}, or use verb"
    if word is not None and capability.unit is Unit.PERSON:
        return (
            f"capability {capability.id}: unit person can't be adopted by count, since objects belong to services and "
            "teams; write adopted: {source: ..., verb: ...}"
        )
    return ""


def watermark(scene: Scene, capability: Capability) -> datetime | None:
    """Up to when all that the capability reads is known; None when it is stale, was never read whole, or nothing gives it."""
    found: list[datetime] = [scene.now]
    adopted, active = capability.adopted, capability.active
    standing = KINDS.get((adopted.count or "").lower())
    for type_, kinds in (
        (adopted.source, frozenset({standing}) if standing else telling_use(adopted.verb or "")),
        (active.source, telling_use(*active.verbs)),
    ):
        states = [s for kind in kinds for s in scene.history.sources(kind) if s.type == type_]
        known = [s.watermark for s in states if s.fresh and s.watermark is not None]
        if not known or len(known) < len(states):
            return None
        found += known
    return min(found)


def telling(history: History, adopted: Adopted) -> Sequence[SourceState]:
    """The source instances that tell of the standing objects that `adopted` counts."""
    kind = KINDS[(adopted.count or "").lower()]
    return [s for s in history.sources(kind) if s.type == adopted.source]


class Predicate:
    """`adopted`, at the moment looked at.

    `count`: standing objects of one kind from the source type, those that `select` lets pass, per owner; true from
    `min` on. `select` asks labels of the object and fields of the reading by one name; either may match.
    `verb`: the amount of use of the verb in the active window; true from `min` on.
    """

    def __init__(self, capability: Capability, reader: Reader, moment: datetime, days: DaysRead) -> None:
        self._adopted, self._reader, self._moment, self._days = capability.adopted, reader, moment, days
        self._window = whole_days(capability.active.window)
        self._by_owner: dict[OwnerKey, Amounts] | None = None
        self._use: dict[Unit, Mapping[str, Amounts]] = {}

    def share(self, unit: Unit, use: Mapping[str, Amounts], by_owner: dict[OwnerKey, Amounts] | None = None) -> None:
        """Take use that was read already."""
        self._use[unit], self._by_owner = use, by_owner

    def units(self, unit: Unit) -> frozenset[str]:
        """Units for which it is true."""
        if self._adopted.count is not None:
            return self._standing(unit, self._adopted.count)
        span = self._days.last(self._window)
        return frozenset(u for u, amounts in self.use(unit).items() if sum(amounts[span]) >= self._adopted.min)

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
            then = left & self._standing(unit, self._adopted.count, back)
            found |= then
            left -= then
        return frozenset(found)

    def use(self, unit: Unit) -> Mapping[str, Amounts]:
        """Amounts of the `adopted` verb by unit; nothing where adopting is no use."""
        if self._adopted.verb is None:
            return {}
        if unit not in self._use:
            self._use[unit] = self._read(unit, self._adopted.verb)
        return self._use[unit]

    def _read(self, unit: Unit, verb: str) -> Mapping[str, Amounts]:
        if unit is Unit.PERSON:
            return self._reader.by_person(self._adopted.source, (verb,), self._days)[0]
        if self._by_owner is None:
            self._by_owner = self._reader.by_owner(self._adopted.source, (verb,), self._days)
        return per_unit(unit, self._by_owner)

    def _standing(self, unit: Unit, word: str, back: int = 0) -> frozenset[str]:
        """Units for which enough objects stood `back` days ago."""
        history = self._reader.history
        instances = {s.instance for s in telling(history, self._adopted)}
        at = self._moment - timedelta(days=back) if back else self._reader.at
        objects: defaultdict[str, set[int]] = defaultdict(set)
        for held in history.readings(KINDS[word.lower()], at=at):
            if held.source in instances and _selected(self._adopted, held.reading):
                name = self._reader.owner(held.object)[0 if unit is Unit.SERVICE else 1]
                if name != UNOWNED:
                    objects[name].add(held.object)
        return frozenset(u for u, standing in objects.items() if len(standing) >= self._adopted.min)


def _selected(adopted: Adopted, reading: Reading) -> bool:
    labels = dict(reading.about.labels)
    for name, patterns in adopted.select.items():
        values = [
            str(v).lower() if isinstance(v, bool) else str(v) for v in (getattr(reading, name, None),) if v is not None
        ]
        values += [labels[name]] if name in labels else []
        if not any(fnmatchcase(value, pattern) for value in values for pattern in patterns):
            return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one moment shows, before any unit's past is taken in."""

    capability: Capability
    days: DaysRead
    use: Mapping[str, Amounts]
    """By unit; any use counts here."""
    known: frozenset[str]
    eligible: frozenset[str]
    exempt: frozenset[str]
    adopted: frozenset[str]
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
    active = capability.active
    days = DaysRead(end=end, count=max(CHURN_DAYS + whole_days(active.window), whole_days(capability.inactive)))
    predicate = Predicate(capability, reader, moment, days)
    shared = (capability.adopted.source, (capability.adopted.verb,)) == (active.source, active.verbs)
    homes: Mapping[str, frozenset[OwnerKey]] = {}
    if capability.unit is Unit.PERSON:
        use, homes = reader.by_person(active.source, active.verbs, days)
        if shared:
            predicate.share(capability.unit, use)
    else:
        by_owner = reader.by_owner(active.source, active.verbs, days)
        use = per_unit(capability.unit, by_owner)
        if shared:
            predicate.share(capability.unit, use, by_owner)
    left_out = exempt(capability, end - timedelta(days=1))
    eligible = eligible_units(capability, known, end - timedelta(days=1), homes)
    units = known_units(capability, known, homes)
    if capability.unit is Unit.PERSON:
        # Who was not seen lately has no owner to ask a selector about, so stays what the last snapshot said.
        eligible |= {u for u, was in previous.items() if u not in homes and was.state not in OUTSIDE} - left_out
    return Seen(
        capability=capability,
        days=days,
        use=use,
        known=units | left_out | {u for u, was in previous.items() if was.ever_active or was.ever_adopted},
        eligible=eligible,
        exempt=left_out,
        adopted=predicate.units(capability.unit),
        active=active_at(capability, use, days),
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
        if was.ever_adopted and u not in seen.adopted and (was.state != State.CHURNED or u in used)
    }
    adopter = seen.adopted | predicate.kept(capability.unit, doubtful & seen.eligible, used)
    found: dict[str, State] = {}
    for unit in sorted(seen.known):
        was = previous.get(unit)
        was_active = was is not None and was.ever_active
        was_adopter = was is not None and was.ever_adopted
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
