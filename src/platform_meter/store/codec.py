"""Bodies of stored facts: JSON of the dataclass, so that they outlive the code that wrote them."""

from __future__ import annotations

from typing import TypeVar, cast

import msgspec

from platform_meter.model.facts import Event, Reading

F = TypeVar("F", bound=Event | Reading | msgspec.Struct)

_encoder = msgspec.json.Encoder()
_strings = msgspec.json.Decoder(tuple[str, ...])
_pairs = msgspec.json.Decoder(tuple[tuple[str, str], ...])
_counts = msgspec.json.Decoder(list[int])


_decoders: dict[type, msgspec.json.Decoder[object]] = {}


def decoder(kind: type[F]) -> msgspec.json.Decoder[F]:
    """The one decoder of a kind: making it costs far more than a decode."""
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return cast("msgspec.json.Decoder[F]", _decoders[kind])


encode = _encoder.encode


def encode_text(value: object) -> str:
    return _encoder.encode(value).decode()


def strings(text: str) -> tuple[str, ...]:
    return _strings.decode(text)


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    return _pairs.decode(text)


def counts(text: str) -> list[int]:
    return _counts.decode(text)
