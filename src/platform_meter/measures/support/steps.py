"""Ticket events in little room: what clocks ask of them, as bytes. All of a store's are held in memory this way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from sys import intern

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent, Today

_About = tuple[str, str, str, tuple[tuple[str, str], ...], tuple[str, ...]]
"""A `Ref`, field by field."""


class _Born(Struct, frozen=True, array_like=True, gc=False):
    """What only the creation of a ticket says."""

    about: _About
    name: str
    queue: str
    answers: tuple[str, ...] | None
    whole: bool
    today: Today | None
    requester: str
    asking: str
    assigned: bool


class _More(Struct, frozen=True, array_like=True, gc=False):
    """What few steps say."""

    severity: str | None
    into: str
    queue: str
    """Of MOVED."""
    category: bool
    """Whether it says one: of what was assigned so, nobody has it yet."""


class _Step(Struct, frozen=True, array_like=True, gc=False):
    key: str
    at: datetime
    updated: datetime | None
    change: TicketChange
    role: Role
    public: bool
    status: str | None
    priority: str | None
    resolution: str | None
    born: _Born | None
    more: _More | None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[_Step])
_MANY = b"\xdd"
"""How MessagePack begins an array; its length follows in 4 bytes."""
_CREATED, _MOVED, _ASSIGNED = TicketChange.CREATED, TicketChange.MOVED, TicketChange.ASSIGNED
_USUAL = _More(None, "", "", category=False)
_HANDED = ""
"""The category of a step that said one."""
_NOTHING = Ref(system="", kind="", id="")


def pack(events: Iterable[TicketEvent]) -> bytes:
    """The events one after the other: packed ones can be appended to packed ones."""
    return b"".join([_encoder.encode(_step(event)) for event in events])


def keys(packed: bytes, count: int) -> list[str]:
    """The keys of `count` events."""
    return [step.key for step in _decoder.decode(_MANY + count.to_bytes(4) + packed)]


def unpack(packed: bytes, count: int, ticket: str) -> list[TicketEvent]:
    """`count` events of a ticket; of what no clock asks for, and of an event other than its creation what it is about, they say nothing."""
    return [_event(step, ticket) for step in _decoder.decode(_MANY + count.to_bytes(4) + packed)]


def _step(event: TicketEvent) -> _Step:
    born, about = None, event.about
    if event.change is _CREATED:
        ref = (about.system, about.kind, about.id, about.labels, about.links)
        who = event.requester, event.asking, event.assigned
        born = _Born(ref, event.name, event.queue, event.answers, event.whole, event.today, *who)
    more, moved = None, event.change is _MOVED
    handed = event.change is _ASSIGNED and event.category is not None
    if moved or handed or event.into or event.severity is not None:
        more = _More(event.severity, event.into, event.queue if moved else "", handed)
    return _Step(
        event.key,
        event.at,
        event.updated,
        event.change,
        event.role,
        event.public,
        event.status,
        event.priority,
        event.resolution,
        born,
        more,
    )


def _event(step: _Step, ticket: str) -> TicketEvent:
    born, more = step.born, step.more or _USUAL
    if born is None:
        return TicketEvent(
            key=step.key,
            at=step.at,
            about=_NOTHING,
            updated=step.updated,
            queue=intern(more.queue),
            ticket=ticket,
            change=step.change,
            role=step.role,
            public=step.public,
            status=_interned(step.status),
            priority=_interned(step.priority),
            category=_HANDED if more.category else None,
            resolution=step.resolution,
            severity=_interned(more.severity),
            into=more.into,
        )
    return TicketEvent(
        key=step.key,
        at=step.at,
        about=_ref(born.about),
        updated=step.updated,
        queue=intern(born.queue),
        ticket=ticket,
        name=born.name,
        change=step.change,
        role=step.role,
        public=step.public,
        status=_interned(step.status),
        priority=_interned(step.priority),
        resolution=step.resolution,
        answers=born.answers,
        whole=born.whole,
        today=born.today,
        severity=_interned(more.severity),
        into=more.into,
        requester=intern(born.requester),
        asking=intern(born.asking),
        assigned=born.assigned,
    )


def _interned(text: str | None) -> str | None:
    """Some words repeat over all tickets, and what is folded of them stays in memory."""
    return None if text is None else intern(text)


@lru_cache(maxsize=4096)
def _ref(about: _About) -> Ref:
    """Tickets of one queue share it."""
    system, kind, id_, labels, links = about
    return Ref(system=system, kind=kind, id=id_, labels=labels, links=links)
