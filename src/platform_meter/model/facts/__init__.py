"""Facts: what sources say. Events happened once; readings tell how things stand now.

An event is counted once by (source instance, key), however often it is seen. A reading is replaced by the next
complete poll of its stream. Times are UTC and aware, durations are `timedelta`, shares run 0..1.
Definitions: domain sections 2, 4 and 7 to 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar, get_args

from msgspec import Struct

from platform_meter.model.dims import Dim
from platform_meter.model.found import found

D_co = TypeVar("D_co", bound=Dim, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """An object as its source names it; the ownership join turns it into service and team.

    `system` is the source type (`github`), `kind` a bounded word (`repository`, `workload`), `id` the natural name
    there (`acme/payments`). `name` is what Ownership rules match: `github:acme/payments`.
    """

    system: str
    kind: str
    id: str
    labels: tuple[tuple[str, str], ...] = ()
    """Sorted label pairs the ownership join may use (rule 3)."""
    links: tuple[str, ...] = ()
    """Names of other objects whose owner is also this one's owner (rule 4)."""

    @property
    def name(self) -> str:
        return f"{self.system}:{self.id}"


class Tally(Struct, Generic[D_co], frozen=True, kw_only=True, gc=False):
    """One addition to a rollup: `n` events and `amount` units under the bounded words `dim`.

    At least one is made of each event: of a dataclass that takes fifteen times as long.
    """

    dim: D_co
    n: int = 1
    amount: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UseWord:
    """A word by which a Capability file tells one use from another (`select`)."""

    of: str
    """The field of the event that holds it."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What a file calls each text of the field, where there are few of them; empty where it holds any text."""
    unusual: frozenset[str] = frozenset()
    """Values that are no use where the file says nothing of this word: nobody did it, or nothing came of it."""

    def said(self, value: object) -> str:
        """What a file calls this value of the field."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return self.values.get(text, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Happened once and stays true. Counted once, however often it is seen."""

    elsewhere: ClassVar[bool] = False
    """Counted elsewhere: an event tells how many there were in a stretch of time, as its tallies' amounts. For a while the
    store has such events by themselves, then only their sums by day (`History.summed_before`)."""
    verb: ClassVar[str] = ""
    """What a Capability file calls this kind of use; empty where it is no use of anything."""
    use_words: ClassVar[Mapping[str, UseWord]] = {}
    """Of an event that is use: by what a Capability file may select it."""
    use_only: ClassVar[tuple[str, str] | None] = None
    """A field and the text in it that makes such an event use, where not every one is."""
    use_amount: ClassVar[tuple[str, ...]] = ()
    """Fields that together are how much use it is; without them each event is one unit of `verb`."""
    use_more: ClassVar[tuple[str, ...]] = ()
    """More fields that say what the use is, where neither `verb` nor `use_words` do."""
    fills: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Fields that say nothing at their default: there the event has what another telling of the same key says, an older
    one too. One that is pushed knows less than one that is read, and may come before or after it. Fields that stand
    together are true together only, and come from one telling."""

    who: ClassVar[tuple[str, ...]] = ()
    """Fields that name a person, by a salted hash; empty of nobody. Whoever is forgotten is emptied out of them."""
    theirs: ClassVar[bool] = False
    """It is of the person whom `who` names and of nothing else, and goes with them."""

    key: str
    """Natural id in its source instance, with the attempt where there is one."""
    at: datetime
    """The end of what happened, not when we saw it."""
    about: Ref
    updated: datetime | None = None
    """When the source last changed it: of one key, the highest wins whatever the order of arrival."""

    def tallies(self) -> tuple[Tally[Dim], ...]:
        """What this event adds to the 5-minute and daily rollups of its kind and object."""
        raise NotImplementedError

    def commits(self) -> tuple[str, ...]:
        """Commits that it tells of, by their whole names: what chains of facts are followed by."""
        return ()

    @classmethod
    def use_fields(cls) -> tuple[str, ...]:
        """The fields that use is counted by; where one of a stored event changes, use has to be counted anew."""
        only = (cls.use_only[0],) if cls.use_only else ()
        return ("at", *only, *cls.use_amount, *cls.use_more, *(word.of for word in cls.use_words.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallied(Event, Generic[D_co]):
    """An event that is tallied under words of its own, a NamedTuple `D_co`; every kind of event is one of these."""

    @classmethod
    def dim(cls) -> type[D_co]:
        """The type of its words, as its class names it: `class PipelineRun(Tallied[OutcomeDim])`."""
        named: type[D_co] = get_args(cls.__orig_bases__[0])[0]  # type: ignore[attr-defined]  # generic classes have it
        return named

    def tallies(self) -> tuple[Tally[D_co], ...]:
        """As of every event, under words of this type."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one object stands. The next complete poll of its stream replaces all of the stream's readings of this type."""

    who: ClassVar[tuple[str, ...]] = ()
    """Fields that name people, by salted hashes. Whoever is forgotten takes it along."""

    about: Ref
    since: datetime | None = None
    """When the object came to be, where the source knows it."""

    @property
    def key(self) -> str:
        return f"{self.about.kind}/{self.about.id}"


Fact = Event | Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The kinds of fact of one family of the domain; each module beside this one names its own."""

    events: tuple[type[Tallied[Any]], ...] = ()
    readings: tuple[type[Reading], ...] = ()


@cache
def event_kinds() -> dict[str, type[Tallied[Any]]]:
    """Every kind of event by its name, which is how the store knows it."""
    return {kind.__name__: kind for family in found(__name__, Facts) for kind in family.events}


@cache
def reading_kinds() -> dict[str, type[Reading]]:
    """Every kind of reading by its name."""
    return {kind.__name__: kind for family in found(__name__, Facts) for kind in family.readings}
