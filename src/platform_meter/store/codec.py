"""Bodies of stored facts: JSON of the dataclass, so that they outlive the code that wrote them."""

from __future__ import annotations

import msgspec

from platform_meter.model import typed

_encoder = msgspec.json.Encoder()
_strings = msgspec.json.Decoder(tuple[str, ...])
_pairs = msgspec.json.Decoder(tuple[tuple[str, str], ...])
_counts = msgspec.json.Decoder(list[int])


decoder = typed.decoder
encode = _encoder.encode


def encode_text(value: object) -> str:
    return _encoder.encode(value).decode()


def strings(text: str) -> tuple[str, ...]:
    return _strings.decode(text)


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    return _pairs.decode(text)


def counts(text: str) -> list[int]:
    return _counts.decode(text)
