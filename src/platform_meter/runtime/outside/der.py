"""When a certificate ends, out of its DER: of one that is not trusted Python tells nothing else (RFC 5280 4.1)."""

from __future__ import annotations

from datetime import UTC, datetime

_VERSION = 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_CENTURY = 50
"""Two digits of a year from which on it is one of the last century (RFC 5280 4.1.2.5.1)."""


def ends(certificate: bytes) -> datetime | None:
    """`notAfter`; None of bytes that are no certificate."""
    try:
        _, whole, _ = _part(certificate)
        _, rest, _ = _part(whole)
        tag, _, behind = _part(rest)
        if tag == _VERSION:
            rest = behind
        for _ in ("serial number", "algorithm", "issuer"):
            _, _, rest = _part(rest)
        _, validity, _ = _part(rest)
        _, _, rest = _part(validity)
        tag, text, _ = _part(rest)
        return _moment(tag, text.decode("ascii"))
    except (IndexError, ValueError):
        return None


def _part(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first value, and what follows it.

    Raises:
        IndexError: it ends too early.
    """
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise IndexError("the value is cut off")
    return data[0], data[start : start + length], data[start + length :]


def _moment(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= _CENTURY else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
