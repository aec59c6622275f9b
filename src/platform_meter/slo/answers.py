"""What the query API of a Prometheus answers, as values.

Source: the HTTP API of Prometheus, version 1.
"""

from __future__ import annotations

from msgspec import Struct, field

from platform_meter.model.typed import decode


class Series(Struct):
    """One series of an answer: at one moment (`value`) or over a range (`values`)."""

    metric: dict[str, str] = field(default_factory=dict)
    value: tuple[float, str] = (0.0, "NaN")
    """Epoch seconds and the number, as text."""
    values: list[tuple[float, str]] = field(default_factory=list)


class Result(Struct):
    """What an answer is about."""

    result: list[Series]


class Answer(Struct):
    """The whole of it."""

    data: Result


def series(body: str | bytes) -> list[Series]:
    """The series of an answer.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return decode(body, Answer).data.result
