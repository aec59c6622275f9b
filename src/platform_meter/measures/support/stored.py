"""A book of tickets as bytes, so that a new process need not fold again what an earlier one has folded."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from platform_meter import __version__
from platform_meter.measures.support.cycles import Cycle, Ticket
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import Alias

FORMAT = 2
"""One more whenever what is written here, or what tickets fold to, becomes another thing within a version."""


class Held(Struct, frozen=True, array_like=True, gc=False):
    """One ticket: its events, packed, and what they fold to by the place of the queue."""

    id: str
    packed: bytes
    count: int
    oldest: datetime | None
    queues: tuple[str, ...] | None
    folded: tuple[Ticket | None, ...]


class State(Struct, frozen=True, array_like=True):
    """All of a book: up to which number it was read, and what was read, by source instance."""

    seq: int
    corrected: int
    acknowledging: tuple[str, ...]
    """Source instances that told of acknowledgements."""
    clocks_seq: int
    """As `seq`, of the tools' own clocks."""
    clocks: dict[str, dict[str, bytes]]
    """What these tell, packed, by source instance and ticket."""
    names: dict[str, tuple[Alias, ...]]
    tickets: dict[str, list[Held]]


_REPEATED = ("about", "priority", "unlisted", "priorities", "severities", "requester", "asking")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def fingerprint(definitions: Iterable[Ticketing]) -> str:
    """What tickets are folded under: under another one they may fold to something else."""
    told = [__version__, str(FORMAT), *(one.model_dump_json() for one in definitions)]
    return sha256("\0".join(told).encode()).hexdigest()


def dump(state: State) -> bytes:
    return zlib.compress(_encoder.encode(state), 1)


def load(body: bytes) -> State | None:
    """The state again, with equal values shared: all folded tickets stay in memory. None where it can't be read."""
    try:
        state = _decoder.decode(zlib.decompress(body))
    except (zlib.error, msgspec.DecodeError):
        # Written by a version that says it is this one: all is folded anew, as without it.
        return None
    pool: dict[Hashable, Any] = {}
    for tickets in state.tickets.values():
        for held in tickets:
            for ticket in held.folded:
                if ticket is not None:
                    _share(ticket, _REPEATED, pool)
                    # What happens to a ticket ends one thing and begins another.
                    own: dict[Hashable, Any] = {held.id: held.id}
                    _share(ticket, ("id", "created", "changed", "last"), own)
                    for cycle in ticket.cycles:
                        for one in (cycle, cycle.beside):
                            _share_cycle(one, pool, own)
    return state


def _share_cycle(cycle: Cycle | None, pool: dict[Hashable, Any], own: dict[Hashable, Any]) -> None:
    if cycle is None:
        return
    _share(cycle, ("sla", "priority", "goal"), pool)
    _share(cycle, ("started", "known"), own)
    if cycle.decision is not None:
        _share(cycle.decision, ("priority", "goal"), pool)
        _share(cycle.decision, ("at",), own)


def _share(struct: Struct, names: Iterable[str], pool: dict[Hashable, Any]) -> None:
    """Put the value of the pool in the place of each that is equal to it; nobody has seen the struct yet."""
    for name in names:
        value = getattr(struct, name)
        force_setattr(struct, name, pool.setdefault(value, value))
