"""What is said of the objects that a list or a watch brings, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from platform_meter.model.facts import Fact, Reading
from platform_meter.sources.kit.kubernetes_objects import Thing

T = TypeVar("T", bound=Thing)
S_contra = TypeVar("S_contra", bound=Thing, contravariant=True)
Over = tuple[type[Reading], str]
"""A reading that is over, by its type and key."""
Said = Sequence[Fact | Over]
"""Facts, and readings that are over, in the order in which they became true."""


class Sayer(Protocol[S_contra]):
    """Turns objects into facts during one call; what it remembers ends with the call, or it would skip after a failed save."""

    complete: frozenset[type[Reading]]
    """What a finished list has said all of. Empty for events: then what comes and goes between two lists is lost."""

    @property
    def waiting(self) -> tuple[str, ...]:
        """What it must know again in the next call."""
        ...

    def listed(self, thing: S_contra) -> Said: ...

    def changed(self, thing: S_contra) -> Said:
        """What an added or modified object says anew."""
        ...

    def deleted(self, thing: S_contra) -> Said:
        """What is over with it."""
        ...


@dataclass(slots=True, kw_only=True)
class Inventory(Generic[T]):
    """Says what each object is, and of a changed one only what differs from what it said last in this call.

    `row` gives a fact, several, or None for nothing.
    """

    row: Callable[[T], Fact | Iterable[Fact] | None]
    complete: frozenset[type[Reading]]
    _held: dict[str, Fact] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[str, ...]:
        return ()

    def listed(self, thing: T) -> Sequence[Fact]:
        made = self.row(thing)
        if made is None:
            return ()
        return tuple(made) if isinstance(made, Iterable) else (made,)

    def changed(self, thing: T) -> Sequence[Fact]:
        news = tuple(fact for fact in self.listed(thing) if self._held.get(fact.key) != fact)
        self._held.update((fact.key, fact) for fact in news)
        return news

    def deleted(self, thing: T) -> Sequence[Over]:
        over = tuple((type(fact), fact.key) for fact in self.listed(thing) if isinstance(fact, Reading))
        for _, key in over:
            self._held.pop(key, None)
        return over


def net(said: Said) -> tuple[Sequence[Fact], Sequence[Over]]:
    """What is true after all of it: of a reading that was said and is over, or the other way round, what came last."""
    last: dict[tuple[type, str], Fact | None] = {}
    for one in said:
        if isinstance(one, tuple):
            last[one] = None
        else:
            last[type(one), one.key] = one
    over = tuple((kind, key) for (kind, key), fact in last.items() if fact is None)
    return tuple(fact for fact in last.values() if fact is not None), over
