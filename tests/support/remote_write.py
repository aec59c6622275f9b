"""What a Prometheus sends to another one: samples of counters with their times, in remote write 1.0.

prometheus.io/docs/specs/prw/remote_write_spec: a protobuf message, compressed as a block of snappy, which may hold all of
it as literals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from tests.support.client import session
from tests.support.waiting import PATIENCE

Samples = Sequence[tuple[float, float]]
"""(epoch seconds, number)."""
_LITERAL = 1 << 16
"""Bytes of one literal, whose length is told in two."""


def send(url: str, series: Iterable[tuple[Mapping[str, str], Samples]]) -> None:
    """Have the server at `url` take these samples of these series, by their labels with the name among them."""
    message = b"".join(_field(1, _series(labels, samples)) for labels, samples in series)
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    with session() as way:
        answer = way.post(f"{url}/api/v1/write", data=_snappy(message), headers=headers, timeout=PATIENCE)
    assert answer.status_code == 204, f"{answer.status_code} {answer.text[:300]}"


def _series(labels: Mapping[str, str], samples: Samples) -> bytes:
    named = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in sorted(labels.items()))
    numbers = (b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(round(at * 1000)) for at, value in samples)
    return b"".join([*(_field(1, label) for label in named), *(_field(2, number) for number in numbers)])


def _field(number: int, content: bytes) -> bytes:
    """A field that says how long it is."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _snappy(content: bytes) -> bytes:
    parts = (content[at : at + _LITERAL] for at in range(0, len(content), _LITERAL))
    return _varint(len(content)) + b"".join(b"\xf4" + struct.pack("<H", len(part) - 1) + part for part in parts)
