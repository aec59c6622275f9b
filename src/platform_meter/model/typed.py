"""JSON and MessagePack as typed values. Each type is made ready to be decoded once, and by one thread alone.

msgspec prepares a type when it is first asked for, and a thread that asks for the same one meanwhile takes it as it is,
half prepared: then the process ends. Whoever decodes by type does it here.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")

_lock = threading.Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_unpackers: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


def decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    """The one decoder of a type: making it costs far more than a decode."""
    found = _decoders.get(type_)
    if found is None:
        with _lock:
            found = _decoders.get(type_)
            if found is None:
                found = _decoders[type_] = msgspec.json.Decoder(type_)
    return cast("msgspec.json.Decoder[T]", found)


def decode(text: bytes | str, type_: type[T]) -> T:
    """The value that a text of JSON holds.

    Raises:
        msgspec.DecodeError: it is no JSON, or no such value.
    """
    return decoder(type_).decode(text)


def unpack(packed: bytes, type_: type[T]) -> T:
    """The value that MessagePack holds.

    Raises:
        msgspec.DecodeError: it is none, or no such value.
    """
    found = _unpackers.get(type_)
    if found is None:
        with _lock:
            found = _unpackers.get(type_)
            if found is None:
                found = _unpackers[type_] = msgspec.msgpack.Decoder(type_)
    return cast("msgspec.msgpack.Decoder[T]", found).decode(packed)


def converted(value: object, type_: type[T]) -> T:
    """What was decoded without a type, as a value of this one.

    Raises:
        msgspec.ValidationError: it is no such value.
    """
    decoder(type_)  # which has the type prepared
    return msgspec.convert(value, type_)
