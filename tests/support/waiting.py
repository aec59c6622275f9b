"""Waiting for what other threads and processes do, without guessing how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")
Values = Mapping[tuple[str, ...], float]
PATIENCE = 120.0
"""Of one call or one thread. Only what never comes is waited for so long, however busy the machine is."""
_WHOLE = 300.0
"""The same of what several processes come to together."""


def until(found: Callable[[], T]) -> T:
    """What `found` gives as soon as that is true.

    Raises:
        AssertionError: it never was; the text holds the last answer.
    """
    end = time.monotonic() + _WHOLE
    while not (answer := found()):
        assert time.monotonic() < end, f"not within {_WHOLE:.0f} s; the last answer was {answer!r}"
        time.sleep(0.05)
    return answer


def same(expected: Callable[[], Values], found: Callable[[], Values]) -> None:
    """Wait until both say the same.

    Raises:
        AssertionError: they never did; the text says what differs, as (found, expected).
    """
    end = time.monotonic() + PATIENCE
    while (got := found()) != (truth := expected()):
        if time.monotonic() > end:
            keys = {key for key in got.keys() | truth.keys() if got.get(key) != truth.get(key)}
            raise AssertionError(f"(found, expected): { {key: (got.get(key), truth.get(key)) for key in keys} }")
        time.sleep(0.05)
