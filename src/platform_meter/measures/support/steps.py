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


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[_Step])
_MANY = b"\xdd"
"""How MessagePack begins an array; its length follows in 4 bytes."""
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
    if event.change is TicketChange.CREATED:
        ref = (about.system, about.kind, about.id, about.labels, about.links)
        born = _Born(ref, event.name, event.queue, event.answers, event.whole, event.today)
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
    )


def _event(step: _Step, ticket: str) -> TicketEvent:
    born = step.born
    if born is None:
        return TicketEvent(
            key=step.key,
            at=step.at,
            about=_NOTHING,
            updated=step.updated,
            queue="",
            ticket=ticket,
            change=step.change,
            role=step.role,
            public=step.public,
            status=_interned(step.status),
            priority=_interned(step.priority),
            resolution=step.resolution,
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
    )


def _interned(text: str | None) -> str | None:
    """Some words repeat over all tickets, and what is folded of them stays in memory."""
    return None if text is None else intern(text)


@lru_cache(maxsize=4096)
def _ref(about: _About) -> Ref:
    """Tickets of one queue share it."""
    system, kind, id_, labels, links = about
    return Ref(system=system, kind=kind, id=id_, labels=labels, links=links)
